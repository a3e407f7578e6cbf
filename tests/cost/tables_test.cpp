// Readers of tables: what rows, columns, texts, quotes and faults cost.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "cost/growth.h"
#include "data/table_reader.h"

namespace unroll {
namespace {

using test::expect_linear;
using test::reading;

constexpr double kBlocks = 60;

test::Reading reading_table(const std::string& text, const data::TableOptions& options = {}) {
  return reading(text.size(), [&] {
    data::ContentReader content(text, "FILE");
    data::read_table(content, options);
  });
}

std::string rows(std::size_t n, std::string_view row) {
  std::string text;
  for (std::size_t i = 0; i < n; ++i) text += row;
  return text;
}

TEST(Trial20, RowsOfTables) {
  for (const char* row : {"1,2\n", "1.5e3,-2\n", "NA,TRUE\n", "x,\"a \"\"b\"\"\"\n", ",\n"})
    expect_linear(
        20'000, [&](std::size_t n) { return reading_table("a,b\n" + rows(n, row)); }, kBlocks);
}

TEST(Trial20, TextsOfTables) {
  expect_linear(
      20'000,
      [](std::size_t n) {
        std::string text = "a,b\n";
        for (std::size_t i = 0; i < n; ++i) text += fmt::format("text{},2\n", i);
        return reading_table(text);
      },
      kBlocks, 20);
  // Columns that turn out to be texts in the last row are read again.
  expect_linear(
      20'000, [](std::size_t n) { return reading_table("a,b\n" + rows(n, "1,2\n") + "x,y\n"); },
      kBlocks);
}

TEST(Trial20, ColumnsOfTables) {
  // A column takes some hundred bytes before it has a value.
  expect_linear(
      4000,
      [](std::size_t n) {
        std::string names, row;
        for (std::size_t i = 0; i < n; ++i) {
          names += fmt::format("{}a{}", i == 0 ? "" : ",", i);
          row += i == 0 ? "1" : ",1";
        }
        return reading_table(names + "\n" + row + "\n");
      },
      200, 200);
}

TEST(Trial20, LongFieldsOfTables) {
  for (const char* piece : {"x", "\"\"", "\n"})
    expect_linear(
        100'000,
        [&](std::size_t n) { return reading_table("a,b\n1,\"" + rows(n, piece) + "\"\n"); },
        kBlocks);
}

TEST(Trial20, FaultsOfTables) {
  for (const char* row : {"1\n", "\n", "1,\"\n"})
    expect_linear(
        20'000,
        [&](std::size_t n) { return reading_table("a,b\n" + rows(200, "1,2\n") + rows(n, row)); },
        kBlocks, 20);
}

TEST(Trial20, ShortRowsOfTables) {
  data::TableOptions options;
  options.ragged = true;
  expect_linear(
      20'000,
      [&](std::size_t n) { return reading_table("1,2,3,4,5,6,7,8\n" + rows(n, "1,2\n"), options); },
      kBlocks, 40);
  expect_linear(
      2000,
      [&](std::size_t n) {
        return reading_table(rows(n, "1,2\n") + rows(n, "1,") + "1\n", options);
      },
      400, 400);
}

}  // namespace
}  // namespace unroll
