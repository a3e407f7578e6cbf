#include "data/ts_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "unit/data/idx_files.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using test::error_of;

constexpr const char* kTwoDimensions =
    "# a comment\n"
    "@problemName Two\n"
    "@timeStamps false\n"
    "@univariate false\n"
    "@dimensions 2\n"
    "@equalLength false\n"
    "@classLabel true yes no\n"
    "@data\n"
    "1,2,3:4,5,6:no\n"
    "\n"
    "# another\n"
    " 7 , 8:9,-1e1:yes \n";

Recordings ts_recordings(const std::string& content) {
  const test::TemporaryFolder folder;
  return read_ts(folder.write("x.ts", content));
}

/// The error without the folder's name.
std::string ts_refusal(const std::string& content) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("x.ts", content);
  std::string text = error_of<FormatError>([&] { read_ts(path); });
  if (const auto at = text.find(path); at != text.npos) text.replace(at, path.size(), "x.ts");
  return text;
}

TEST(TsFile, ReadsSeriesOfDifferentLengths) {
  const Recordings r = ts_recordings(kTwoDimensions);
  EXPECT_EQ(r.lengths, (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(r.values, (std::vector<float>{1, 4, 2, 5, 3, 6, 7, 9, 8, -10}));
  EXPECT_EQ(r.names, (std::vector<std::string>{"1", "2"}));
  ASSERT_EQ(r.columns.size(), 2u);
  EXPECT_EQ(r.columns[1].name, "dim_1");
  ASSERT_EQ(r.target_columns.size(), 1u);
  EXPECT_EQ(r.target_columns[0].name, "class");
  EXPECT_EQ(r.target_columns[0].texts, (std::vector<std::string>{"yes", "no"}));
  EXPECT_EQ(r.targets, (std::vector<float>{1, 0}));
  EXPECT_FALSE(r.target_at_every_step);
}

TEST(TsFile, ReadsWindowsLinesAByteOrderMarkAndGzip) {
  std::string content = "\xef\xbb\xbf";
  for (const char* c = kTwoDimensions; *c; ++c) content += *c == '\n' ? "\r\n" : std::string(1, *c);
  EXPECT_EQ(ts_recordings(content).values, ts_recordings(kTwoDimensions).values);
  EXPECT_EQ(ts_recordings(test::gzipped(content, 6)).targets,
            ts_recordings(kTwoDimensions).targets);
}

TEST(TsFile, ReadsTargetsAndMissingValues) {
  const Recordings r =
      ts_recordings("@targetlabel TRUE\n@missing true\n@data\n1,?,3:0.5\nNaN,2:?\n");
  EXPECT_EQ(r.lengths, (std::vector<std::int64_t>{3, 2}));
  EXPECT_TRUE(std::isnan(r.values[1]));
  EXPECT_TRUE(std::isnan(r.values[3]));
  EXPECT_EQ(r.target_columns[0].name, "target");
  EXPECT_FALSE(r.target_columns[0].is_text());
  EXPECT_EQ(r.targets[0], 0.5f);
  EXPECT_TRUE(std::isnan(r.targets[1]));
}

TEST(TsFile, ReadsSeriesWithoutLabels) {
  const Recordings r = ts_recordings("@classLabel false\n@data\n1,2:3,4\n");
  EXPECT_TRUE(r.target_columns.empty());
  EXPECT_TRUE(r.targets.empty());
  EXPECT_EQ(r.columns.size(), 2u);
}

TEST(TsFile, TellsTheTaskFromTheHeaderAlone) {
  const test::TemporaryFolder folder;
  const auto task = [&](const std::string& content) {
    return ts_task(folder.write("x.ts", content));
  };
  EXPECT_EQ(task(std::string(kTwoDimensions) + "damaged"), Task::classify);
  EXPECT_EQ(task("@targetlabel true\n@data\nx"), Task::regress);
  EXPECT_EQ(task("@data\n"), Task::automatic);
  EXPECT_EQ(task(test::gzipped(kTwoDimensions, 6)), Task::classify);
}

struct Malformed {
  std::string content, error;
};

TEST(TsFile, RefusesEachMalformedFile) {
  const std::string one = "@classLabel true a b\n@data\n";
  const Malformed files[] = {
      {"", "x.ts is an empty file, expected a .ts file; write or download it again"},
      {"const x = 1;\n",
       "x.ts:1: \"const x = 1;\", expected a line of the header such as @univariate true, or "
       "@data; "
       "is this a .ts file?"},
      {"@problemName x\n", "x.ts ends before @data; it is truncated, or no .ts file"},
      {one, "x.ts has no series after @data; it is truncated"},
      {"@univarate true\n@data\n",
       "x.ts:1: @univarate is no field of a .ts header; did you mean univariate?; delete the line"},
      {"@missing no\n@data\n", "x.ts:1: @missing is \"no\", expected true or false"},
      {"@missing true\n@missing true\n", "x.ts:2: @missing stands twice in the header; delete one"},
      {"@dimensions zero\n",
       "x.ts:1: @dimensions is \"zero\", expected a whole number from 1 to 65536"},
      {"@seriesLength 0\n",
       "x.ts:1: @seriesLength is \"0\", expected a whole number from 1 to 2147483647"},
      {"@timeStamps true\n",
       "x.ts:1: @timeStamps is true; Unroll reads series without timestamps, expected false; write "
       "a "
       "CSV file with a column for --time"},
      {"@classLabel true\n",
       "x.ts:1: @classLabel is true, but no classes follow; list them: @classLabel true yes no"},
      {"@classLabel false a b\n",
       "x.ts:1: @classLabel is false, but classes follow: \"a b\"; write true"},
      {"@classLabel true a b a\n", "x.ts:1: @classLabel lists \"a\" twice; delete one"},
      {"@classLabel true a\n@targetLabel true\n@data\n",
       "x.ts:3: @classLabel and @targetLabel are both true, expected one of them"},
      {"@univariate true\n@dimensions 2\n@data\n",
       "x.ts:3: @univariate is true, but @dimensions is 2; write @univariate false"},
      {"@univariate false\n@dimensions 1\n@data\n",
       "x.ts:3: @univariate is false, but @dimensions is 1; write @univariate true"},
      {"@equalLength false\n@seriesLength 3\n@data\n",
       "x.ts:3: @equalLength is false, but @seriesLength is 3; delete one of them"},
      {one + "1,2\n", "x.ts:3: the series has no label, expected VALUE,VALUE,...:CLASS at the end"},
      {"@targetLabel true\n@data\n1,2\n",
       "x.ts:3: the series has no label, expected VALUE,VALUE,...:TARGET at the end"},
      {"@univariate true\n" + one + "1,2:3,4:a\n",
       "x.ts:4: the series has 2 dimensions, expected 1 as the header says; separate dimensions by "
       "':', and put the label last"},
      {one + "1,2:3,4:a\n1,2:b\n",
       "x.ts:4: the series has 1 dimension, expected 2 as before; separate dimensions by ':', and "
       "put the label last"},
      {one + "1,2,3:4,5:a\n",
       "x.ts:3: dim_1 has 2 values, dim_0 has 3; all dimensions of a series must have the same "
       "length"},
      {one + "1,2:4,5,6:a\n",
       "x.ts:3: dim_1 has 3 values, dim_0 has 2; all dimensions of a series must have the same "
       "length"},
      {"@equalLength true\n" + one + "1,2:a\n1:a\n",
       "x.ts:5: the series has 1 steps, the first one 2, but @equalLength is true; correct the "
       "header"},
      {"@seriesLength 2\n" + one + "1,2,3:a\n",
       "x.ts:4: the series has 3 steps, but @seriesLength is 2; correct the header"},
      {"@missing false\n" + one + "1,?:a\n",
       "x.ts:4: value 2 of dim_0 is missing (\"?\"), but the header says @missing false; correct "
       "one "
       "of them"},
      {one + "(0,1),(1,2):a\n",
       "x.ts:3: value 1 of dim_0 is \"(0\", a value with a timestamp, expected a number; write a "
       "CSV "
       "file with a column for --time"},
      {one + "1,2:3,x:a\n",
       "x.ts:3: value 2 of dim_1 is \"x\", expected a number; write ? for a missing value"},
      {one + "1,,2:a\n",
       "x.ts:3: value 2 of dim_0 is \"\", expected a number; write ? for a missing value"},
      {one + "1,1e39:a\n",
       "x.ts:3: value 2 of dim_0 is \"1e39\", expected a number of at most 3.4e38 in size; write ? "
       "for a "
       "missing value"},
      {one + "1:c\n", "x.ts:3: the class is \"c\", expected one of @classLabel: a, b"},
      {"@targetLabel true\n@data\n1:c\n",
       "x.ts:3: the target is \"c\", expected a number; write ? for a missing one"},
      {"version https://git-lfs.github.com/spec/v1\n",
       "x.ts is a Git LFS pointer, a short text in place of a file, expected a .ts file; fetch the "
       "file itself: git lfs pull, or download it again"},
  };
  for (const Malformed& file : files) EXPECT_EQ(ts_refusal(file.content), "[data] " + file.error);
}

TEST(TsFile, RefusesClassesThatNoModelCanName) {
  EXPECT_NE(ts_refusal("@classLabel true j\xe9 no\n@data\n1:no\n").find("iconv -f LATIN1 -t UTF-8"),
            std::string::npos);
  const std::string zero("@classLabel true a\0b no\n@data\n1:no\n", 36);
  EXPECT_NE(ts_refusal(zero).find("a zero byte"), std::string::npos);
}

TEST(TsFile, RefusesADamagedGzipFile) {
  const std::string sound = test::gzipped(kTwoDimensions, 6);
  EXPECT_EQ(ts_refusal(sound.substr(0, sound.size() - 3)),
            "[data] x.ts is damaged or truncated: its gzip data, checksum or length is wrong; "
            "download it again");
}

TEST(TsFile, TruncatedAnywhereItIsReadOrRefused) {
  const std::string whole = kTwoDimensions;
  const test::TemporaryFolder folder;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string path = folder.write("x.ts", whole.substr(0, size));
    try {
      EXPECT_LE(read_ts(path).count(), 2);
    } catch (const FormatError&) {
    }
  }
}

struct RealSet {
  const char* file;
  std::int64_t count, dimensions, shortest, longest;
  std::size_t classes;
};

// The counts of ../shared/sets/README.md.
TEST(TsFile, ReadsTheArchives) {
  const std::string folder = UNROLL_SOURCE_DIR "/../shared/sets/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the sets aren't here";
  for (const RealSet& set : {
           RealSet{"japanese-vowels/JapaneseVowels_TRAIN.ts", 270, 12, 7, 26, 9},
           RealSet{"japanese-vowels/JapaneseVowels_TEST.ts", 370, 12, 7, 29, 9},
           RealSet{"italy-power-demand/ItalyPowerDemand_TRAIN.ts", 67, 1, 24, 24, 2},
           RealSet{"italy-power-demand/ItalyPowerDemand_TEST.ts", 1029, 1, 24, 24, 2},
           RealSet{"basic-motions/BasicMotions_TRAIN.ts", 40, 6, 100, 100, 4},
           RealSet{"basic-motions/BasicMotions_TEST.ts", 40, 6, 100, 100, 4},
           RealSet{"covid3month/Covid3Month_TRAIN.ts", 140, 1, 84, 84, 0},
           RealSet{"covid3month/Covid3Month_TEST.ts", 61, 1, 84, 84, 0},
       }) {
    SCOPED_TRACE(set.file);
    const Recordings r = read_ts(folder + set.file);
    EXPECT_EQ(r.count(), set.count);
    EXPECT_EQ(static_cast<std::int64_t>(r.columns.size()), set.dimensions);
    EXPECT_EQ(std::ranges::min(r.lengths), set.shortest);
    EXPECT_EQ(std::ranges::max(r.lengths), set.longest);
    EXPECT_EQ(r.target_columns[0].texts.size(), set.classes);
    EXPECT_EQ(static_cast<std::int64_t>(r.targets.size()), set.count);
  }
  // The first and last values of the file's first series.
  const Recordings vowels = read_ts(folder + "japanese-vowels/JapaneseVowels_TRAIN.ts");
  EXPECT_EQ(vowels.values[0], 1.860936f);
  EXPECT_EQ(vowels.values[1], -0.207383f);
  EXPECT_EQ(vowels.values[static_cast<std::size_t>(vowels.lengths[0]) * 12 - 1], -0.175986f);
}

}  // namespace
}  // namespace unroll::data
