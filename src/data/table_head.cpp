#include "data/table_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>

#include "core/file_kind.h"
#include "core/printable.h"
#include "data/field_reader.h"
#include "data/table_column.h"
#include "data/table_value.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

constexpr std::size_t kFirstBytes = 4096, kHeadBytes = std::size_t{1} << 20;
constexpr std::size_t kSeparatorLines = 100, kTypeLines = 1000;
constexpr char kSeparators[] = {',', ';', '\t', '|'};

using Lines = std::vector<std::vector<std::string>>;

/// The start of the content.
struct Start {
  std::string path, text;
  bool whole = false;  // it is all
};

Start read_start(ContentReader& content) {
  Start start{content.path(), {}, false};
  for (std::size_t block = kFirstBytes; !start.whole && start.text.size() < kHeadBytes;
       block = start.text.size()) {
    const std::size_t before = start.text.size();
    start.text.resize(before + block);
    const std::size_t n = content.read(std::span(start.text).subspan(before));
    start.text.resize(before + n);
    start.whole = n < block;
  }
  // A line that is cut would be another one.
  if (const auto end = start.text.rfind('\n'); !start.whole && end != std::string::npos)
    start.text.resize(end + 1);
  return start;
}

bool begins_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::ranges::equal(text.substr(0, word.size()), word, [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

/// Refuses files of other kinds. A table can begin with any text, even with that of some kinds.
void check_kind(const Start& start) {
  using namespace std::string_view_literals;
  const std::string_view text = start.text;
  if (text.empty()) refuse_empty_table(start.path);
  const auto first = text.substr(0, file_kind_bytes);
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") ||
      (text.size() > 3 && ((text[0] == '\0' && text[1] != '\0' && text[2] == '\0') ||
                           (text[0] != '\0' && text[1] == '\0' && text[3] == '\0'))))
    throw FormatError("data", fmt::format("{} is a text in UTF-16, expected UTF-8; convert it: "
                                          "iconv -f UTF-16 -t UTF-8",
                                          start.path));
  const bool page =
      std::ranges::any_of(std::initializer_list<std::string_view>{"<!doctype", "<html", "<?xml"},
                          [&](auto word) { return begins_with_word(text, word); });
  if (!page && !text.starts_with("version https://git-lfs") && first.find('\0') == text.npos) {
    if (text.find('\n') == text.npos && text.find('\r') != text.npos)
      throw FormatError("data", fmt::format("{}: its lines end with a carriage return alone, "
                                            "expected a line feed; convert it: tr '\\r' '\\n'",
                                            start.path));
    return;
  }
  const auto kind = file_kind(std::as_bytes(std::span(first)));
  if (kind && !kind->is_text)
    throw FormatError("data",
                      wrong_kind(start.path, *kind, "a table (CSV)", "save it as a CSV file"));
  throw FormatError("data", fmt::format("{} is no text, expected a table (CSV); save it as a CSV "
                                        "file",
                                        start.path));
}

/// The fields of the first lines. Stops where a quote is wrong: `wrong`. `number`: of the first
/// one, which empty lines may precede.
Lines first_lines(const Start& start, char separator, std::size_t most, bool* wrong = nullptr,
                  std::int64_t* number = nullptr) {
  ContentReader content(start.text, start.path);
  FieldReader fields(content, separator);
  Lines lines;
  try {
    while (lines.size() < most && !fields.at_end()) {
      if (fields.skip_empty_line()) continue;
      if (number && lines.empty()) *number = fields.line();
      std::vector<std::string> line;
      for (bool last = false; !last;) {
        const Field field = fields.next();
        line.emplace_back(field.text);
        last = field.last;
      }
      lines.push_back(std::move(line));
    }
  } catch (const FormatError&) {
    // The last line of a cut text may be within a quote.
    if (wrong) *wrong = start.whole;
  }
  return lines;
}

/// How well a separator suits the first lines.
struct Suit {
  bool all = false;       // every line has as many fields as the first one, and more than one
  std::size_t lines = 0;  // so many lines do
};

Suit suit_of(const Start& start, char separator, bool ragged) {
  bool wrong = false;
  const Lines lines = first_lines(start, separator, kSeparatorLines, &wrong);
  if (lines.empty()) return {};
  const std::size_t first = lines[0].size();
  const auto suits = [&](const auto& line) {
    return line.size() > 1 && (ragged || line.size() == first);
  };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(lines, suits));
  return {!wrong && count == lines.size(), count};
}

char find_separator(const Start& start, const TableOptions& options) {
  std::optional<char> found, best;
  std::size_t most = 0;
  for (const char separator : kSeparators) {
    if (separator == options.decimal) continue;
    const Suit suit = suit_of(start, separator, options.ragged);
    if (suit.all && found)
      throw FormatError("data",
                        fmt::format("{}: both {} and {} may separate its fields; give one "
                                    "with --separator",
                                    start.path, separator_name(*found), separator_name(separator)));
    if (suit.all) found = separator;
    if (suit.lines > most) {
      most = suit.lines;
      best = separator;
    }
  }
  if (found) return *found;
  // Some lines are wrong: reading says which.
  if (best && 2 * most > first_lines(start, *best, kSeparatorLines).size()) return *best;
  throw FormatError("data", fmt::format("{}: none of comma, semicolon, tab and bar gives the first "
                                        "lines the same number of fields, 2 or more; give "
                                        "--separator",
                                        start.path));
}

void check_names(const Start& start, std::int64_t line, const std::vector<std::string>& names) {
  std::map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string place = fmt::format("{}:{}:{}", start.path, line, i + 1);
    constexpr std::string_view kRemedy = "name it, or give --no-header if the first line is data";
    if (names[i].empty())
      throw FormatError(
          "data", fmt::format("{}: the name of column {} is empty; {}", place, i + 1, kRemedy));
    if (!is_utf8(names[i]))
      throw FormatError("data", fmt::format("{}: the name {} is not UTF-8; convert the file: iconv "
                                            "-f LATIN1 -t UTF-8",
                                            place, in_quotes(names[i], 40)));
    if (names[i].find('\0') != std::string::npos)
      throw FormatError("data", fmt::format("{}: the name {} has a zero byte; is the file damaged?",
                                            place, in_quotes(names[i], 40)));
    const auto [same, added] = known.emplace(names[i], i);
    if (!added)
      throw FormatError("data",
                        fmt::format("{}: columns {} and {} are both called {}; rename one, or give "
                                    "--no-header if the first line is data",
                                    place, same->second + 1, i + 1, in_quotes(names[i], 40)));
  }
}

std::vector<bool> text_columns(const Lines& lines, std::size_t columns, char decimal) {
  std::vector<ColumnBuilder> builders(columns);
  for (const auto& line : lines)
    for (std::size_t i = 0; i < std::min(columns, line.size()); ++i)
      builders[i].add(line[i], decimal);
  std::vector<bool> texts;
  for (const ColumnBuilder& builder : builders) texts.push_back(builder.is_wrong);
  return texts;
}

}  // namespace

void refuse_empty_table(const std::string& path) {
  throw FormatError("data",
                    path + " is empty, expected a table with rows; write or download it again");
}

std::string separator_name(char separator) {
  switch (separator) {
    case ',':
      return "comma";
    case ';':
      return "semicolon";
    case '\t':
      return "tab";
    case '|':
      return "bar";
    default:
      return in_quotes({&separator, 1});
  }
}

TableHead read_table_head(ContentReader& content, const TableOptions& options) {
  const Start start = read_start(content);
  check_kind(start);
  TableHead head;
  const std::ptrdiff_t line_ends = std::ranges::count(start.text, '\n');
  head.row_bytes = static_cast<double>(start.text.size()) /
                   static_cast<double>(std::max<std::ptrdiff_t>(line_ends, 1));
  head.separator = options.separator ? options.separator : find_separator(start, options);
  std::int64_t number = 1;
  Lines lines = first_lines(start, head.separator, kTypeLines, nullptr, &number);
  if (lines.empty()) {  // a wrong quote in the first line: reading says where
    head.header = false;
    return head;
  }
  const auto is_value = [&](const std::string& text) {
    const ValueKind kind = table_value(text, options.decimal).kind;
    return kind == ValueKind::number || kind == ValueKind::missing;
  };
  std::vector<std::string>& first = lines[0];
  if (first.size() > most_table_columns)
    throw FormatError("data", fmt::format("{} has {} columns, more than the limit of {}; is the "
                                          "separator right?",
                                          start.path, first.size(), most_table_columns));
  head.header = !options.no_header && !std::ranges::all_of(first, is_value);
  for (std::size_t i = 0; i < first.size(); ++i)
    head.names.push_back(head.header ? std::string(without_blanks(first[i]))
                                     : std::to_string(i + 1));
  if (head.header) check_names(start, number, head.names);
  if (head.header) lines.erase(lines.begin());
  head.texts = text_columns(lines, head.names.size(), options.decimal);
  return head;
}

}  // namespace unroll::data
