#include "unroll/data/table.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include "data/table_reader.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using test::error_of;

constexpr float kMissingCell = std::numeric_limits<float>::quiet_NaN();

Table table_of(std::string_view text, const TableOptions& options = {},
               std::size_t block = FieldReader::usual_block) {
  ContentReader content(text, "t.csv");
  return read_table(content, options, block);
}

std::string table_refusal(std::string_view text, const TableOptions& options = {}) {
  return error_of<FormatError>([&] { table_of(text, options); });
}

/// The values of a column, "(missing)" where there is none.
std::vector<std::string> texts_of(const TableColumn& column) {
  EXPECT_TRUE(column.is_text) << column.name;
  std::vector<std::string> texts;
  for (const std::int32_t code : column.codes)
    texts.push_back(code < 0 ? "(missing)" : column.texts.at(static_cast<std::size_t>(code)));
  return texts;
}

void expect_numbers(const TableColumn& column, const std::vector<float>& expected) {
  EXPECT_FALSE(column.is_text) << column.name;
  ASSERT_EQ(column.numbers.size(), expected.size()) << column.name;
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_TRUE(std::isnan(expected[i]) ? std::isnan(column.numbers[i])
                                        : column.numbers[i] == expected[i])
        << column.name << " " << i << ": " << column.numbers[i];
}

using Texts = std::vector<std::string>;

TEST(Table, NumbersAndTexts) {
  const Table table = table_of("time,x,kind\n1,0.5,a\n2,-3,b\n3,1e2,a\n");
  EXPECT_EQ(table.rows, 3);
  EXPECT_EQ(table.first_line, 2);
  EXPECT_EQ(table.separator, ',');
  EXPECT_TRUE(table.header);
  EXPECT_TRUE(table.lines.empty());
  ASSERT_EQ(table.columns.size(), 3u);
  expect_numbers(table.column("time"), {1, 2, 3});
  expect_numbers(table.column("x"), {0.5F, -3, 100});
  EXPECT_EQ(texts_of(table.column("kind")), (Texts{"a", "b", "a"}));
  EXPECT_EQ(table.column("kind").texts, (Texts{"a", "b"}));
  EXPECT_EQ(table.place(1, table.column("kind")), "t.csv:3:3");
}

TEST(Table, NumbersInManyForms) {
  const Table table = table_of(
      "x,y\n+1,1.\n .5 ,-0\n\"2.5\",1e-3\n007,0.1\n12345678901234567890,1E5\n1e-40,16777217\n");
  expect_numbers(table.columns[0], {1, 0.5F, 2.5F, 7, 12345678901234567890.0F, 1e-40F});
  expect_numbers(table.columns[1], {1, 0, 1e-3F, 0.1F, 1e5F, 16777216});
  EXPECT_TRUE(std::signbit(table.columns[1].numbers[1]));
}

/// Numbers of up to 15 digits take another way than std::from_chars.
TEST(Table, NumbersAreThoseOfFromChars) {
  std::mt19937_64 random(7);
  std::string text = "x,y\n";
  std::vector<float> expected;
  const auto add = [&](const std::string& number) {
    double value = 0;
    std::from_chars(number.data(), number.data() + number.size(), value);
    expected.push_back(static_cast<float>(value));
    text += number + ",0\n";
  };
  for (int i = 0; i < 20'000; ++i) {
    std::string number = random() % 2 ? "-" : "";
    const std::size_t digits = 1 + random() % 20, point = random() % (digits + 4);
    for (std::size_t d = 0; d < digits; ++d) {
      if (d == point) number += '.';
      number += static_cast<char>('0' + random() % 10);
    }
    if (random() % 8 == 0) number += "e" + std::to_string(static_cast<int>(random() % 30) - 20);
    add(number);
  }
  // Between two floats: rounding to double first gives the upper one, as the rule of one rounding
  // from double has it.
  add("1.00000005960464477539062500000001");
  add("999999999999999");
  add("0.000000000000001");
  const Table table = table_of(text);
  ASSERT_FALSE(table.columns[0].is_text) << why_not_numbers(table, table.columns[0]);
  ASSERT_EQ(table.columns[0].numbers.size(), expected.size());
  EXPECT_EQ(std::memcmp(table.columns[0].numbers.data(), expected.data(), 4 * expected.size()), 0);
}

TEST(Table, MissingValues) {
  const Table table = table_of(
      "x,s,t\n1,a,\n,NA,\nNA,N/A,\nN/A,NaN,\nNaN,nan,\nnan,null,\nnull,NULL,\nNULL,None,\nNone,?,\n"
      "?,-,\n- , ,\n");
  expect_numbers(table.column("x"),
                 {1, kMissingCell, kMissingCell, kMissingCell, kMissingCell, kMissingCell,
                  kMissingCell, kMissingCell, kMissingCell, kMissingCell, kMissingCell});
  EXPECT_EQ(table.column("s").texts, Texts{"a"});
  EXPECT_EQ(table.column("s").codes,
            (std::vector<std::int32_t>{0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}));
  expect_numbers(table.column("t"), std::vector<float>(11, kMissingCell));  // no value at all
}

TEST(Table, WordsAreNotMissing) {
  TableOptions options;
  options.word_columns = {"word"};
  const Table table = table_of("word,tag\nNA,x\n?,NA\n,x\n-,x\n12,x\n", options);
  EXPECT_EQ(texts_of(table.column("word")), (Texts{"NA", "?", "(missing)", "-", "12"}));
  EXPECT_EQ(texts_of(table.column("tag")), (Texts{"x", "(missing)", "x", "x", "x"}));
}

TEST(Table, Booleans) {
  const Table table = table_of("a,b,c\nTRUE,true,1\nFALSE,,TRUE\ntrue,false,0\n");
  expect_numbers(table.column("a"), {1, 0, 1});
  expect_numbers(table.column("b"), {1, kMissingCell, 0});
  EXPECT_EQ(texts_of(table.column("c")), (Texts{"1", "TRUE", "0"}));  // neither one nor the other
}

TEST(Table, AColumnOfNumbersWithATextFarBelowIsOneOfTexts) {
  std::string text = "x,y\n";
  for (int i = 0; i < 5000; ++i) text += std::to_string(i) + ",1\n";
  text += "12 km,1\n7,1\n";
  const Table table = table_of(text);
  const TableColumn& column = table.column("x");
  ASSERT_TRUE(column.is_text);
  EXPECT_EQ(column.texts.size(), 5001u);
  EXPECT_EQ(column.texts.front(), "0");
  EXPECT_EQ(column.codes.back(), 7);
  EXPECT_EQ(why_not_numbers(table, column),
            "t.csv:5002:1: x is \"12 km\", expected a number; correct it, or leave the field empty "
            "if it is missing");
  EXPECT_FALSE(table.column("y").is_text);
}

TEST(Table, ColumnsThatAreTextsOrLeftOut) {
  TableOptions options;
  options.text_columns = {"id", "nowhere"};
  options.ignore = {"x"};
  const Table table = table_of("x,id,y\n1,07,2\n1,7,3\n", options);
  ASSERT_EQ(table.columns.size(), 2u);
  EXPECT_EQ(texts_of(table.columns[0]), (Texts{"07", "7"}));
  EXPECT_EQ(table.columns[1].field, 3);
  EXPECT_EQ(why_not_numbers(table, table.columns[0]), "");
  options.ignore = {"X"};
  EXPECT_EQ(error_of<ValueError>([&] { table_of("x,id,y\n1,07,2\n", options); }),
            "[data] t.csv has no column \"X\", its columns are x, id, y; did you mean x?");
}

TEST(Table, Quotes) {
  const Table table = table_of(
      "\"a,b\",\"say \"\"x\"\"\",c\r\n\"1\",\"two\nlines\",it's \"so\"\r\n2,\"\",\" d \"\r\n"
      "3,\"\"\"\",e");
  EXPECT_EQ(table.columns[0].name, "a,b");
  EXPECT_EQ(table.columns[1].name, "say \"x\"");
  expect_numbers(table.columns[0], {1, 2, 3});
  EXPECT_EQ(texts_of(table.columns[1]), (Texts{"two\nlines", "(missing)", "\""}));
  EXPECT_EQ(texts_of(table.columns[2]), (Texts{"it's \"so\"", " d ", "e"}));
  EXPECT_EQ(table.lines, (std::vector<std::int64_t>{2, 4, 5}));
  EXPECT_EQ(table.line_of(1), 4);
}

TEST(Table, LineEndsAndTheEnd) {
  for (const char* text : {"a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n",
                           "a,b\r\n1,2\r\n3,4\n\n\r\n", "\xef\xbb\xbf\"a\",b\n1,2\n3,4\n"}) {
    const Table table = table_of(text);
    expect_numbers(table.column("a"), {1, 3});
    expect_numbers(table.column("b"), {2, 4});
  }
}

TEST(Table, Separators) {
  EXPECT_EQ(table_of("a,b\n1,2\n").separator, ',');
  EXPECT_EQ(table_of("a;b\n1,5;x\n").separator, ';');
  EXPECT_EQ(table_of("a\tb\n1\t2\n").separator, '\t');
  EXPECT_EQ(table_of("a|b\n1|2\n").separator, '|');
  EXPECT_EQ(table_of("\"a;b\",\"c;d\"\n1,2\n").separator, ',');  // within quotes nothing separates
  TableOptions options;
  options.separator = ',';
  EXPECT_EQ(table_of("x\n1\n2\n", options).columns.size(), 1u);
  options.separator = ' ';
  EXPECT_EQ(table_of("x y\n1 2\n", options).columns.size(), 2u);
  EXPECT_EQ(table_refusal("x\n1\n2\n"),
            "[data] t.csv: none of comma, semicolon, tab and bar gives the first lines the same "
            "number of fields, 2 or more; give --separator");
  EXPECT_EQ(table_refusal("1,5;2,5\n1,5;2,5\n"),
            "[data] t.csv: both comma and semicolon may separate its fields; give one with "
            "--separator");
}

TEST(Table, DecimalComma) {
  TableOptions options;
  options.decimal = ',';
  const Table table = table_of("x;y\n1,5;-2\n,25;+1,5e3\n", options);
  expect_numbers(table.column("x"), {1.5F, 0.25F});
  expect_numbers(table.column("y"), {-2, 1500});
  EXPECT_TRUE(table_of("x;y\n1.5;2\n", options).column("x").is_text);
}

TEST(Table, Headers) {
  EXPECT_FALSE(table_of("1,2\n3,4\n").header);
  EXPECT_FALSE(table_of("1,\n3,4\n").header);
  const Table years = table_of("id,1990,1991\na,1,2\n");
  EXPECT_TRUE(years.header);
  EXPECT_EQ(years.columns[1].name, "1990");
  const Table table = table_of("1,2\n3,4\n");
  EXPECT_EQ(table.first_line, 1);
  expect_numbers(table.column("2"), {2, 4});
  TableOptions options;
  options.no_header = true;
  EXPECT_EQ(texts_of(table_of("a,b\nc,d\n", options).column("1")), (Texts{"a", "c"}));
  EXPECT_EQ(table_of(" a ,\tb\n1,2\n", {.separator = ','}).columns[1].name, "b");
}

TEST(Table, TheHeaderMayFollowEmptyLines) {
  TableOptions options;
  options.empty_line_ends = true;
  EXPECT_EQ(error_of<FormatError>([&] { table_of("\nword\tword\na\tb\n", options); }),
            "[data] t.csv:2:2: columns 1 and 2 are both called \"word\"; rename one, or give "
            "--no-header if the first line is data");
}

TEST(Table, EmptyLinesEndSequences) {
  TableOptions options;
  options.empty_line_ends = true;
  const Table table = table_of("w\tt\na\tx\nb\ty\n\n\nc\tx\n\r\n", options);
  EXPECT_EQ(table.rows, 3);
  EXPECT_EQ(table.ends, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(table.lines, (std::vector<std::int64_t>{2, 3, 6}));
  EXPECT_EQ(table_of("w\tt\n\na\tx\n", options).ends, (std::vector<std::int64_t>{}));
}

TEST(Table, RaggedRows) {
  TableOptions options;
  options.ragged = true;
  const Table table = table_of("id,1,2,3\na,1,2,3\nb,4\n", options);
  expect_numbers(table.column("2"), {2, kMissingCell});
  const Table longer = table_of("1,10\n2,20,30\n1,40,50,x\n", options);
  ASSERT_EQ(longer.columns.size(), 4u);
  expect_numbers(longer.column("3"), {kMissingCell, 30, 50});
  EXPECT_EQ(texts_of(longer.column("4")), (Texts{"(missing)", "(missing)", "x"}));
  EXPECT_EQ(table_refusal("a,b\n1,2\n1,2,3\n", options),
            "[data] t.csv:3: the line has 3 fields, expected 2 as in the first line, separated by "
            "comma; put a text with a separator in it in quotes");
  // A few bytes can't ask for gigabytes.
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "1,2\n";
  for (int i = 0; i < 60'000; ++i) text += "1,";
  text += "1\n";
  EXPECT_EQ(table_refusal(text, options).substr(0, 92),
            "[data] t.csv:1001: up to this line the rows differ so much in length that 1065000 "
            "values are");
}

// One malformed file for each rule.

TEST(Table, LinesWithAnotherNumberOfFields) {
  EXPECT_EQ(table_refusal("a,b,c\n1,2,3\n1,2\n1,2,3\n1,2,3\n"),
            "[data] t.csv:3: the line has 2 fields, expected 3 as in the first line, separated by "
            "comma; add the missing ones");
  EXPECT_EQ(table_refusal("a,b\n1,2\n1,2,3\n1,2\n1\n1,2\n1,2\n1,2\n"),
            "[data] t.csv:3: the line has 3 fields, expected 2 as in the first line, separated by "
            "comma; put a text with a separator in it in quotes (also in line 5)");
  std::string many = "a,b\n";
  for (int i = 0; i < 20; ++i) many += "1,2\n";
  for (int i = 0; i < 12; ++i) many += "1\n";
  EXPECT_EQ(table_refusal(many),
            "[data] t.csv:22: the line has 1 field, expected 2 as in the first line, separated by "
            "comma; add the missing ones (also in lines 23, 24, 25, 26 and 7 more)");
}

TEST(Table, EmptyLinesAreRefused) {
  EXPECT_EQ(table_refusal("a,b\n1,2\n\n1,2\n\n\n1,2\n\n"),
            "[data] t.csv:3: the line is empty, expected a row; delete it (also in line 5)");
}

TEST(Table, DamagedQuotes) {
  EXPECT_EQ(table_refusal("a,b\n1,2\n3,\"x\n5,6\n7,8\n"),
            "[data] t.csv:3:2: the quote that opens here is never closed; a quote within a text is "
            "written \"\"");
  EXPECT_EQ(table_refusal("a,b\n1,2\n3,\"x\" y\n5,6\n"),
            "[data] t.csv:3:2: text follows the closing quote; a quote within a text is written "
            "\"\", and the whole text stands in quotes");
  EXPECT_EQ(table_refusal("a,b\n1,\"" + std::string((1 << 20) + 1, 'x')),
            "[data] t.csv:2:2: the text of this quote has more than 1 MiB; is the closing quote "
            "missing?");
  EXPECT_EQ(table_refusal("a,b\n1," + std::string((1 << 20) + 1, 'x')),
            "[data] t.csv:2:2: the field has more than 1 MiB; is the separator right?");
  TableOptions options;
  options.word_columns = {"word"};
  EXPECT_EQ(table_refusal("word\ttag\n\"\tPUNCT\nso\tADV\n\"\tPUNCT\n", options),
            "[data] t.csv:2:1: word is \"\\tPUNCT\\nso\\tADV\\n\", expected a word without line "
            "ends; write a quote that is a word as \"\"\"\"");
}

TEST(Table, NamesOfColumns) {
  EXPECT_EQ(table_refusal("a,b,a\n1,2,3\n"),
            "[data] t.csv:1:3: columns 1 and 3 are both called \"a\"; rename one, or give "
            "--no-header if the first line is data");
  EXPECT_EQ(table_refusal("a,,c\n1,2,3\n"),
            "[data] t.csv:1:2: the name of column 2 is empty; name it, or give --no-header if the "
            "first line is data");
  EXPECT_EQ(table_refusal("a,b\xff\n1,2\n"),
            "[data] t.csv:1:2: the name \"b\\xff\" is not UTF-8; convert the file: iconv -f LATIN1 "
            "-t UTF-8");
  const Table table = table_of("Time,Demand,Temperature\n1,2,3\n");
  EXPECT_EQ(
      error_of<ValueError>([&] { table.column("temperature"); }),
      "[data] t.csv has no column \"temperature\", its columns are Time, Demand, Temperature; "
      "did you mean Temperature?");
}

TEST(Table, FilesThatAreNoTables) {
  EXPECT_EQ(table_refusal(""),
            "[data] t.csv is empty, expected a table with rows; write or download it again");
  EXPECT_EQ(table_refusal("a,b\n"),
            "[data] t.csv has no rows after its header; is the file complete?");
  EXPECT_EQ(table_refusal(std::string("\xff\xfe"
                                      "a\0,\0b\0\n\0",
                                      10)),
            "[data] t.csv is a text in UTF-16, expected UTF-8; convert it: iconv -f UTF-16 -t "
            "UTF-8");
  EXPECT_EQ(table_refusal(std::string("a\0,\0b\0\n\0", 8)),
            "[data] t.csv is a text in UTF-16, expected UTF-8; convert it: iconv -f UTF-16 -t "
            "UTF-8");
  EXPECT_EQ(table_refusal("PK\3\4" + std::string(40, '\0')),
            "[data] t.csv is a zip archive, expected a table (CSV); unpack it first: unzip t.csv");
  EXPECT_EQ(table_refusal(std::string("PAR1\0\1", 6)),
            "[data] t.csv is a Parquet file, expected a table (CSV); save it as a CSV file");
  EXPECT_EQ(table_refusal("<!DOCTYPE html><html>"),
            "[data] t.csv is an HTML or XML page, expected a table (CSV); download it again: a "
            "server may send a page instead of a file");
  EXPECT_EQ(table_of("<DATE>,<OPEN>\n1,2\n").columns[0].name, "<DATE>");
  EXPECT_EQ(table_refusal(std::string("a,b\0\1\n1,2\n", 10)),
            "[data] t.csv is no text, expected a table (CSV); save it as a CSV file");
  EXPECT_EQ(table_refusal("a,b\r1,2\r"),
            "[data] t.csv: its lines end with a carriage return alone, expected a line feed; "
            "convert it: tr '\\r' '\\n'");
  EXPECT_EQ(table_refusal("a,b\n1,M\xfcller\n"),
            "[data] t.csv:2:2: b is \"M\\xfcller\", which is not UTF-8; convert the file: iconv -f "
            "LATIN1 -t UTF-8");
  std::string wide = "1";
  for (int i = 0; i < 65'536; ++i) wide += ",1";
  EXPECT_EQ(
      table_refusal(wide),
      "[data] t.csv has 65537 columns, more than the limit of 65536; is the separator right?");
}

TEST(Table, AFileLargerThanTheMachine) {
  const test::TemporaryFolder folder;
  std::string rows = "a,b\n";
  for (int i = 0; i < 300; ++i) rows += "1,2\n";
  const std::string path = folder.write("t.csv", rows);
  std::error_code full;
  std::filesystem::resize_file(path, std::uintmax_t{1} << 43, full);  // most of it is a hole
  if (full) GTEST_SKIP() << "no file of 8 TB can be made here: " << full.message();
  // 2^43 bytes / 4 bytes a row * 2 columns * 4 bytes
  const std::string said = error_of<FormatError>([&] { read_table(path); });
  EXPECT_EQ(said.substr(0, said.find(", this")),
            "[data] " + path + " needs about 35184 GB for 2199023 million rows of 2 columns");
  EXPECT_TRUE(said.ends_with(" GB; leave columns out with --ignore, or split the file")) << said;
}

TEST(Table, OptionsThatContradict) {
  const auto said = [](const TableOptions& options) {
    return error_of<ValueError>([&] { table_of("a,b\n1,2\n", options); });
  };
  EXPECT_EQ(said({.separator = ',', .decimal = ','}),
            "[data] t.csv: comma can't be both the separator and the decimal mark; give another "
            "one");
  EXPECT_EQ(said({.decimal = ';'}), "[data] t.csv: the decimal mark is \";\", expected . or ,");
  EXPECT_EQ(said({.separator = '"'}),
            "[data] t.csv: a quote or a line end can't separate fields; give another --separator");
}

TEST(Table, SeparatorsThatStandInNumbers) {
  for (const char separator : {'-', '+', '7', 'e', 'Z'})
    EXPECT_EQ(error_of<ValueError>([&] { table_of("a,b\n1,2\n", {.separator = separator}); }),
              std::string("[data] t.csv: \"") + separator +
                  "\" stands in numbers or names and can't separate fields; give another "
                  "--separator");
  EXPECT_NE(error_of<ValueError>([&] {
              table_of("a;b\n1;2\n", {.separator = '.', .decimal = ','});
            }).find("can't separate"),
            std::string::npos);
}

TEST(Table, WhyAColumnIsNotOneOfNumbers) {
  const auto why = [](const std::string& value, const TableOptions& options = {}) {
    const Table table = table_of("Temperature;y\n1;2\n" + value + ";2\n3;2\n", options);
    return why_not_numbers(table, table.columns[0]);
  };
  const std::string start = "t.csv:3:1: Temperature is ";
  EXPECT_EQ(why("12,5"), start + "\"12,5\", expected a number; write 12.5, or give --decimal ,");
  TableOptions comma;
  comma.decimal = ',';
  EXPECT_EQ(why("12.5", comma),
            start + "\"12.5\", expected a number; write 12,5, or give --decimal .");
  for (const char* value : {"1_000", "1,234.5", "1 000", "1'000"})
    EXPECT_EQ(why(value), start + '"' + value +
                              "\", expected a number; write it without separators of thousands");
  for (const char* value : {"inf", "-Infinity"})
    EXPECT_EQ(why(value), start + '"' + value +
                              "\", expected a finite number; leave the field empty if it is "
                              "missing");
  for (const char* value : {"0x1p3", "1e", "--1", "+-1", "+", "1 2", "12 km", "."})
    EXPECT_EQ(why(value), start + '"' + value +
                              "\", expected a number; correct it, or leave the field empty if it "
                              "is missing");
  EXPECT_EQ(why("a" + std::string(60, 'b')),
            start + "\"a" + std::string(39, 'b') +
                "...\", expected a number; correct it, or leave the field empty if it is missing");
  const Table table = table_of("x,y\n1,\"1,5\"\na,2\nb,2\nc,2\nd,2\n4,2\ne,2\nf,2\n");
  EXPECT_EQ(why_not_numbers(table, table.columns[0]),
            "t.csv:3:1: x is \"a\", expected a number; correct it, or leave the field empty if it "
            "is missing (also in lines 4, 5, 6, 8 and 1 more)");
  EXPECT_EQ(why_not_numbers(table, table.columns[1]),
            "t.csv:2:2: y is \"1,5\", expected a number; write 1.5");
}

TEST(Table, NumbersOutOfRange) {
  constexpr std::string_view kExpected =
      ", expected a number of at most 3.4e38 in size, and of at least 1e-45 if it is not 0; write "
      "a smaller one, or 0";
  for (const std::string value : {"1e39", "-1e400", "1e-400", "1e-320", "-2e-50"})
    EXPECT_EQ(table_refusal("x,y\n1,2\n" + value + ",2\n"),
              "[data] t.csv:3:1: x is \"" + value + "\"" + std::string(kExpected));
  // Letters and digits of a name may look like such a number.
  EXPECT_TRUE(table_of("x,y\n12e4567,2\nab34cd,2\n").column("x").is_text);
}

std::string everything() {
  return "\xef\xbb\xbf"
         "id,\"na,\"\"me\",x,y\r\n1,\"two\r\nlines\",-1.5e-3,TRUE\r\n2,\"\",NA,FALSE\r\n"
         "3,\"\"\"\",12345.6789,\n4,\xc3\xa9,+1,true";
}

void expect_same(const Table& a, const Table& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.lines, b.lines);
  EXPECT_EQ(a.first_line, b.first_line);
  EXPECT_EQ(a.ends, b.ends);
  ASSERT_EQ(a.columns.size(), b.columns.size());
  for (std::size_t i = 0; i < a.columns.size(); ++i) {
    EXPECT_EQ(a.columns[i].name, b.columns[i].name);
    EXPECT_EQ(a.columns[i].codes, b.columns[i].codes);
    EXPECT_EQ(a.columns[i].texts, b.columns[i].texts);
    if (!a.columns[i].is_text) expect_numbers(a.columns[i], b.columns[i].numbers);
  }
}

TEST(Table, BlocksOfAnySizeReadTheSame) {
  const std::string text = everything();
  const Table whole = table_of(text);
  EXPECT_EQ(whole.rows, 4);
  EXPECT_EQ(texts_of(whole.columns[1]), (Texts{"two\r\nlines", "(missing)", "\"", "\xc3\xa9"}));
  expect_numbers(whole.columns[2], {-1.5e-3F, kMissingCell, 12345.6789F, 1});
  for (std::size_t block = 1; block <= text.size() + 1; ++block)
    expect_same(table_of(text, {}, block), whole);
}

TEST(Table, ATruncatedFileIsReadOrRefused) {
  const std::string text = everything();
  for (std::size_t size = 0; size < text.size(); ++size) {
    std::string whole, blocks;
    for (const std::size_t block : {FieldReader::usual_block, std::size_t{1}}) {
      std::string& said = block == 1 ? blocks : whole;
      try {
        said = std::to_string(table_of(text.substr(0, size), {}, block).rows);
      } catch (const FormatError& error) {
        said = error.what();
      }
    }
    EXPECT_EQ(whole, blocks);
  }
}

// gzip -n of "a,b\n1,2\n", by gzip 1.12.
TEST(Table, Files) {
  const test::TemporaryFolder folder;
  const std::string packed(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\xd4\x49\xe2\x32\xd4"
      "\x31\xe2\x02\x00\x7b\x07\x97\x0a\x08\x00\x00\x00",
      28);
  const std::string path = folder.write("t.csv.gz", packed);
  expect_numbers(read_table(path).column("b"), {2});
  EXPECT_EQ(read_table(path).path, path);
  folder.write("t.csv.gz", packed.substr(0, 20));
  EXPECT_EQ(error_of<FormatError>([&] { read_table(path); }),
            "[data] " + path +
                " is damaged or truncated: its gzip data, checksum or length is wrong; download it "
                "again");
  folder.write("t.csv.gz", packed + packed);
  EXPECT_EQ(
      error_of<FormatError>([&] { read_table(path); }),
      "[data] " + path + " holds more than one gzip member; compress its content again, as one");
  EXPECT_EQ(error_of<FileError>([&] { read_table(folder / "none.csv"); }),
            "[data] can't open " + folder / "none.csv" + ": No such file or directory");
}

}  // namespace
}  // namespace unroll::data
