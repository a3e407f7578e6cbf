// Tables: CSV in every way that options ask for, read in blocks of any size, and as gzip; what is
// read can be written and read again.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/printable.h"
#include "data/gzip.h"
#include "data/table_reader.h"
#include "target.h"
#include "unroll/data/table.h"

namespace unroll::fuzz {
namespace {

constexpr std::size_t kSmall = 8192;  // larger inputs are read once, or they would be slow

using data::Table;
using data::TableColumn;
using data::TableOptions;

std::optional<Table> read(Bytes bytes, const TableOptions& options, std::size_t block,
                          std::string& why) {
  data::ContentReader content(text_of(bytes), "FILE");
  std::optional<Table> table;
  accepts([&] { table = data::read_table(content, options, block); }, &why);
  return table;
}

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same(const Table& a, const Table& b) {
  if (a.rows != b.rows || a.ends != b.ends || a.columns.size() != b.columns.size()) return false;
  for (std::size_t i = 0; i < a.columns.size(); ++i) {
    const TableColumn &x = a.columns[i], &y = b.columns[i];
    if (x.name != y.name || x.is_text != y.is_text || x.codes != y.codes || x.texts != y.texts ||
        !std::ranges::equal(x.numbers, y.numbers, [](float p, float q) { return same(p, q); }))
      return false;
  }
  return true;
}

void check(const Table& table) {
  require(table.rows > 0 && !table.columns.empty(), "a table has rows and columns");
  require(table.lines.empty() || std::ssize(table.lines) == table.rows, "a line for each row");
  for (const TableColumn& column : table.columns) {
    require(std::ssize(column.numbers) == (column.is_text ? 0 : table.rows) &&
                std::ssize(column.codes) == (column.is_text ? table.rows : 0),
            "a value for each row");
    for (const std::int32_t code : column.codes)
      require(code >= -1 && code < std::ssize(column.texts), "a code is that of a text");
    const std::unordered_set<std::string_view> different(column.texts.begin(), column.texts.end());
    require(different.size() == column.texts.size(), "texts are different");
    for (const std::string& text : column.texts) require(is_utf8(text), "texts are UTF-8");
  }
}

/// The start of a gzip file, which may have a thousand times its size.
void read_start(const std::string& path) {
  data::ContentReader content(path);
  std::vector<char> block(997);
  for (int i = 0; i < 1000 && content.read(block) == block.size(); ++i) {
  }
}

std::string quoted(std::string_view text) {
  std::string all = "\"";
  for (const char c : text) all.append(c == '"' ? 2 : 1, c);
  return all + '"';
}

/// The table as a file: texts and missing values in quotes, numbers with all their digits.
std::string written(const Table& table, char decimal) {
  std::string all;
  const auto end_field = [&](std::size_t column) {
    all += column + 1 < table.columns.size() ? table.separator : '\n';
  };
  for (std::size_t i = 0; table.header && i < table.columns.size(); ++i) {
    all += quoted(table.columns[i].name);
    end_field(i);
  }
  std::size_t end = 0;
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const TableColumn& column = table.columns[i];
      if (column.is_text && column.codes[row] >= 0) {
        all += quoted(column.texts[static_cast<std::size_t>(column.codes[row])]);
      } else if (column.is_text || std::isnan(column.numbers[row])) {
        all += "\"\"";
      } else {
        std::string number = fmt::format("{}", static_cast<double>(column.numbers[row]));
        for (char& c : number)
          if (c == '.') c = decimal;
        all += number;
      }
      end_field(i);
    }
    if (end < table.ends.size() && table.ends[end] == static_cast<std::int64_t>(row)) {
      all += '\n';
      ++end;
    }
  }
  return all;
}

void check_written(const Table& table, TableOptions options) {
  const std::string file = written(table, options.decimal);
  options.separator = table.separator;
  options.no_header = !table.header;
  for (const TableColumn& column : table.columns)
    if (column.is_text) options.text_columns.push_back(column.name);
  data::ContentReader content(file, "FILE");
  require(same(data::read_table(content, options), table),
          "a table that was read, written and read again is the same");
}

}  // namespace

void table(Bytes bytes) {
  // The last bytes choose the options, so that the fuzzer can.
  const std::uint32_t choice = data::gzip_length(std::as_bytes(bytes));
  TableOptions options;
  if (choice & 1) options.decimal = ',';
  options.no_header = (choice & 2) != 0;
  options.empty_line_ends = (choice & 4) != 0;
  options.ragged = (choice & 8) != 0;
  if (choice & 16) options.word_columns = {"a", "1"};
  if (choice & 32) options.ignore = {"b", "2"};
  if (choice & 64) options.separator = ";,\t|"[choice >> 7 & 3];

  std::string why, other_why;
  if (bytes.size() > kSmall) {
    const auto whole =
        read(bytes, choice & 256 ? options : TableOptions{}, data::FieldReader::usual_block, why);
    if (whole) check(*whole);
    return;
  }
  const auto whole = read(bytes, options, data::FieldReader::usual_block, why);
  const auto blocks = read(bytes, options, 1 + choice % 61, other_why);
  require(whole ? blocks && same(*whole, *blocks) : !blocks && why == other_why,
          "blocks of any size read the same");
  if (whole) check(*whole);
  // Without columns that are left out, others would get their names.
  if (whole && options.ignore.empty()) check_written(*whole, options);

  static MemoryFile plain, compressed;
  plain.assign(bytes);
  if (data::is_gzip(std::as_bytes(bytes))) {
    accepts([&] { read_start(plain.path()); });
    return;
  }
  std::optional<Table> from_file, from_gzip;
  accepts([&] { from_file = data::read_table(plain.path()); });
  compressed.assign(gzip_of(bytes));
  accepts([&] { from_gzip = data::read_table(compressed.path()); });
  require(from_file ? from_gzip && same(*from_file, *from_gzip) : !from_gzip,
          "a file and its gzip read the same");
}

}  // namespace unroll::fuzz
