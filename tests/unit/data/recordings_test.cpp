#include "data/recordings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using Texts = std::vector<std::string>;
using Floats = std::vector<float>;
using Parts = std::vector<std::optional<Split>>;

const std::string kTrainFile = "@univariate true\n@classLabel true a b\n@data\n1,2:a\n3:b\n";
const std::string kTestFile = "@univariate true\n@classLabel true b c a\n@data\n4:c\n5,6:a\n";

class RecordingsTest : public ::testing::Test {
 protected:
  /// The text of an error without the folder's name.
  template <class E>
  std::string refusal(const std::string& file, const SeriesSettings& settings,
                      Targets targets = Targets::needed) const {
    std::string text =
        test::error_of<E>([&] { read_recordings(folder_ / file, settings, targets); });
    const std::string start = folder_.path() + "/";
    for (auto at = text.find(start); at != text.npos; at = text.find(start))
      text.erase(at, start.size());
    return text;
  }

  test::TemporaryFolder folder_;
};

TEST(NamesFile, TellsFilesFromOtherParts) {
  for (const char* file : {"dev.tsv", "X_TEST.ts", "./none", "0.2.csv", "1,5", "split=test"})
    EXPECT_TRUE(names_file(file)) << file;
  for (const char* other : {"", "auto", "none", "0.2", "20%", "7", "1e999", "groups:7,8",
                            "column:split=test", "last:0.1", "from:2014"})
    EXPECT_FALSE(names_file(other)) << other;
}

TEST_F(RecordingsTest, FindTheTestFileBeside) {
  const std::string path = folder_.write("Two_TRAIN.ts", kTrainFile);
  EXPECT_TRUE(read_recordings(path, {}).parts.empty());  // there is none yet
  folder_.write("Two_TEST.ts", kTestFile);
  const Recordings r = read_recordings(path, {});
  EXPECT_EQ(r.name, "Two");
  EXPECT_EQ(r.settings.test, folder_ / "Two_TEST.ts");
  EXPECT_EQ(r.settings.validate, "auto");
  EXPECT_EQ(r.settings.task, Task::classify);
  EXPECT_EQ(r.settings.target, Texts{"class"});
  EXPECT_EQ(r.settings.features, Texts{"dim_0"});
  EXPECT_EQ(r.notes.front(), "test part: " + folder_ / "Two_TEST.ts, found beside " + path);
  EXPECT_EQ(r.names, (Texts{"1", "2", "1", "2"}));
  EXPECT_EQ(r.parts, (Parts{{}, {}, Split::test, Split::test}));
  EXPECT_EQ(r.values, (Floats{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(r.lengths, (std::vector<std::int64_t>{2, 1, 1, 2}));
  // The classes of both files.
  EXPECT_EQ(r.target_columns[0].texts, (Texts{"a", "b", "c"}));
  EXPECT_EQ(r.targets, (Floats{0, 1, 2, 0}));
  ASSERT_EQ(r.files.size(), 2u);
  EXPECT_EQ(r.files[0].role, "train");
  EXPECT_EQ(r.files[1].role, "test");
  EXPECT_EQ(r.files[1].bytes, kTestFile.size());

  SeriesSettings other;
  other.test = "0.5";
  EXPECT_TRUE(read_recordings(path, other).parts.empty());
  EXPECT_EQ(read_recordings(path, other).files[0].role, "all");
  other.test = "auto";
  other.folds = 2;
  EXPECT_TRUE(read_recordings(path, other).parts.empty());
  EXPECT_TRUE(read_recordings(path, {}, Targets::optional).parts.empty());
}

TEST_F(RecordingsTest, HashTheFiles) {
  const Recordings r = read_recordings(folder_.write("x.ts", kTrainFile), {});
  // printf '@univariate true\n@classLabel true a b\n@data\n1,2:a\n3:b\n' | sha256sum
  EXPECT_EQ(r.files[0].sha256, "1f629c7b09dd0d9dc0472f7c40f5fe898405721230eda13ba810b3f1658346d7");
  EXPECT_EQ(r.files[0].bytes, 54u);
}

TEST_F(RecordingsTest, ReadAValidationFile) {
  SeriesSettings settings;
  settings.validate = folder_.write("dev.ts", kTestFile);
  settings.test = "none";
  const Recordings r = read_recordings(folder_.write("x.ts", kTrainFile), settings);
  EXPECT_EQ(r.parts, (Parts{{}, {}, Split::validation, Split::validation}));
  EXPECT_EQ(r.files[1].role, "validation");
}

TEST_F(RecordingsTest, ChooseDimensions) {
  const std::string path =
      folder_.write("x.ts", "@targetLabel true\n@data\n1,2:3,4:5,6:0.5\n7:8:9:1\n");
  SeriesSettings settings;
  settings.features = {"dim_2", "dim_0"};
  Recordings r = read_recordings(path, settings);
  EXPECT_EQ(r.values, (Floats{5, 1, 6, 2, 9, 7}));
  EXPECT_EQ(r.settings.features, settings.features);
  EXPECT_EQ(r.settings.task, Task::regress);
  EXPECT_EQ(r.notes, Texts{path + ": not read: dim_1"});
  settings.features = {};
  settings.ignore = {"dim_0"};
  r = read_recordings(path, settings);
  EXPECT_EQ(r.values, (Floats{3, 5, 4, 6, 8, 9}));
  EXPECT_EQ(r.settings.features, (Texts{"dim_1", "dim_2"}));
}

TEST_F(RecordingsTest, RefuseSettingsThatDoNotSuitATsFile) {
  folder_.write("x.ts", kTrainFile);
  const auto of = [&](auto&& change) {
    SeriesSettings settings;
    change(settings);
    return refusal<ValueError>("x.ts", settings);
  };
  EXPECT_EQ(
      of([](auto& s) { s.task = Task::regress; }),
      "[data] --task is regress, but x.ts says @classLabel true; leave --task out, or write a "
      "CSV file");
  EXPECT_EQ(of([](auto& s) { s.target = {"y"}; }),
            "[data] --target is y, but the target of x.ts is called class; leave --target out");
  EXPECT_EQ(of([](auto& s) { s.series = "id"; }),
            "[data] x.ts: --series is for tables; the columns of a .ts file are dim_0, dim_1, ...; "
            "leave it out");
  EXPECT_EQ(
      of([](auto& s) { s.test = "column:split=test"; }),
      "[data] x.ts: --test column: is for tables; the columns of a .ts file are dim_0, dim_1, "
      "...; leave it out");
  EXPECT_EQ(of([](auto& s) { s.features = {"dim_1"}; }),
            "[data] x.ts has no column \"dim_1\"; did you mean dim_0?; its columns are dim_0 to "
            "dim_0");
  EXPECT_EQ(of([](auto& s) { s.ignore = {"dim_0"}; }),
            "[data] x.ts: --ignore leaves no column to read");
  EXPECT_EQ(
      of([](auto& s) { s.features = s.ignore = {"dim_0"}; }),
      "[data] column \"dim_0\" is in --features and in --ignore; leave it out of one of them");
  EXPECT_EQ(of([](auto& s) {
              s.features = {"dim_0", "dim_0"};
            }),
            "[data] column \"dim_0\" is in --features twice; leave one out");
}

TEST_F(RecordingsTest, NeedTargetsForTrainingOnly) {
  const std::string path = folder_.write("x.ts", "@classLabel false\n@data\n1,2\n");
  EXPECT_EQ(refusal<FormatError>("x.ts", {}),
            "[data] x.ts says neither @classLabel true nor @targetLabel true; training needs the "
            "classes or targets of the series");
  EXPECT_TRUE(read_recordings(path, {}, Targets::optional).target_columns.empty());
}

TEST_F(RecordingsTest, RefuseFilesThatDoNotFit) {
  folder_.write("x.ts", kTrainFile);
  SeriesSettings settings;
  settings.test = folder_.write("same.ts", kTrainFile);
  EXPECT_EQ(refusal<ValueError>("x.ts", settings),
            "[data] x.ts (train) and same.ts (test) have the same content; a part that is also "
            "another part proves nothing, give another file");
  settings.test = folder_.write("values.ts", "@targetLabel true\n@data\n1:2\n");
  EXPECT_EQ(refusal<ValueError>("x.ts", settings),
            "[data] --task is classify, but values.ts says @targetLabel true; leave --task out, or "
            "write a CSV file");
  settings.test = folder_ / "none.ts";
  EXPECT_NE(refusal<FileError>("x.ts", settings).find("none.ts"), std::string::npos);
  folder_.write("two.ts", "@classLabel true a\n@data\n1:2:a\n");
  settings.test = folder_ / "x.ts";
  EXPECT_EQ(refusal<ValueError>("two.ts", settings),
            "[data] x.ts has no column \"dim_1\"; did you mean dim_0?; its columns are dim_0 to "
            "dim_0");
}

TEST_F(RecordingsTest, JoinTables) {
  SeriesSettings settings;
  settings.task = Task::classify;
  settings.target = {"y"};
  settings.series = "id";
  settings.group = "g";
  settings.test = folder_.write("test.csv", "y,x,id,g,c,more\nB,5,u,2,7,0\nC,6,v,1,q,1\n");
  const std::string path =
      folder_.write("train.csv", "id,c,x,y,g\na,p,1,A,1\na,q,2,A,1\nb,q,3,B,3\n");
  const Recordings r = read_recordings(path, settings);
  EXPECT_EQ(r.name, "train");
  EXPECT_EQ(r.names, (Texts{"a", "b", "u", "v"}));
  EXPECT_EQ(r.groups, (Texts{"1", "3", "2", "1"}));
  EXPECT_EQ(r.parts, (Parts{{}, {}, Split::test, Split::test}));
  // Columns by their names, as the first file has them; its column of texts is one in both files.
  EXPECT_EQ(r.settings.features, (Texts{"c", "x"}));
  EXPECT_EQ(r.columns[0].texts, (Texts{"p", "q", "7"}));
  EXPECT_EQ(r.values, (Floats{0, 1, 1, 2, 1, 3, 2, 5, 1, 6}));
  EXPECT_EQ(r.target_columns[0].texts, (Texts{"A", "B", "C"}));
  EXPECT_EQ(r.targets, (Floats{0, 1, 1, 2}));

  settings.test = folder_.write("test.csv", "y,x,id,g\nB,5,u,2\n");
  EXPECT_EQ(refusal<ValueError>("train.csv", settings),
            "[data] test.csv has no column \"c\", its columns are y, x, id, g");
  settings.test = folder_.write("test.csv", "y,x,id,g,c\nB,five,u,2,p\n");
  EXPECT_EQ(refusal<FormatError>("train.csv", settings),
            "[data] test.csv:2:2: x is \"five\", expected a number; correct it, or leave the field "
            "empty if it is missing; in train.csv all are numbers");
  settings.test = folder_.write("test.csv", "y,x,id,g,c\nB,5,b,2,p\n");
  EXPECT_EQ(refusal<ValueError>("train.csv", settings),
            "[data] series \"b\" is in test.csv and in another file; a series can be in one part "
            "only: delete it from one file, or rename it");
}

TEST_F(RecordingsTest, PartsFromAColumnAndAFile) {
  SeriesSettings settings;
  settings.task = Task::regress;
  settings.target = {"y"};
  settings.series = "id";
  settings.validate = "column:s=dev";
  settings.test = folder_.write("test.csv", "id,x,y\nz,5,6\n");
  folder_.write("train.csv", "id,x,y,s\na,1,1,-\nb,2,2,dev\n");
  EXPECT_EQ(read_recordings(folder_ / "train.csv", settings).parts,
            (Parts{{}, Split::validation, Split::test}));
}

TEST_F(RecordingsTest, TheColumnOfPartsIsNoStepInAnyFileOfWideRows) {
  SeriesSettings settings;
  settings.task = Task::regress;
  settings.target = {"y"};
  settings.wide = true;
  settings.validate = "column:s=1";
  folder_.write("train.csv", "y,s,t1,t2\n1,0,10,11\n2,1,20,21\n");
  // With numbers, with texts, and without the column.
  for (const char* const test :
       {"y,s,t1,t2\n3,0,30,31\n", "y,s,t1,t2\n3,new,30,31\n", "y,t1,t2\n3,30,31\n"}) {
    settings.test = folder_.write("test.csv", test);
    const Recordings r = read_recordings(folder_ / "train.csv", settings);
    EXPECT_EQ(r.values, (Floats{10, 11, 20, 21, 30, 31})) << test;
    EXPECT_EQ(r.parts, (Parts{{}, Split::validation, Split::test})) << test;
  }
}

TEST_F(RecordingsTest, ReadTheValuesOfAColumnForResults) {
  SeriesSettings settings;
  settings.task = Task::regress;
  settings.target = {"y"};
  settings.series = "id";
  settings.ignore = {"who"};
  settings.test = folder_.write("test.csv", "who,id,x,y\n,c,3,3\n");
  const std::string path =
      folder_.write("train.csv", "id,x,y,who\na,1,1,007\na,2,1,007\nb,2,2,8\n");
  const auto by = [&](const std::string& column) {
    return read_recordings(path, settings, Targets::needed, {}, column).by;
  };
  EXPECT_EQ(by("who"), (Texts{"007", "8", "(missing)"}));
  EXPECT_EQ(by("id"), (Texts{"a", "b", "c"}));
  EXPECT_EQ(by("y"), (Texts{"1", "2", "3"}));
  EXPECT_TRUE(by("").empty());
  settings.test = "none";
  settings.wide = true;
  settings.series = "";
  settings.ignore = {"id"};
  const Recordings wide = read_recordings(path, settings, Targets::needed, {}, "who");
  EXPECT_EQ(wide.by, (Texts{"007", "007", "8"}));
  EXPECT_EQ(wide.values, (Floats{1, 2, 2}));
  EXPECT_EQ(test::error_of<ValueError>([&] {
              read_recordings(folder_.write("x.ts", kTrainFile), {}, Targets::needed, {}, "who");
            }),
            "[data] " + folder_ / "x.ts" +
                " has no column \"who\" that series could be grouped by; leave --by out, or use a "
                "table");
}

TEST_F(RecordingsTest, TellTheTaskOfAFile) {
  SeriesSettings settings;
  settings.task = Task::label;
  EXPECT_EQ(task_of("any.csv", settings), Task::label);
  EXPECT_EQ(task_of("any.csv", {}), Task::automatic);
  EXPECT_EQ(task_of(folder_.write("x.ts", kTrainFile), {}), Task::classify);
  EXPECT_EQ(task_of(folder_.write("y.ts", "@data\n1\n"), settings), Task::label);
}

TEST_F(RecordingsTest, ReadTheSetsWithTheirTestFiles) {
  const std::string sets = UNROLL_SOURCE_DIR "/../shared/sets/";
  if (!std::filesystem::exists(sets)) GTEST_SKIP() << "the sets aren't here";
  const Recordings r = read_recordings(sets + "japanese-vowels/JapaneseVowels_TRAIN.ts", {});
  EXPECT_EQ(r.name, "JapaneseVowels");
  EXPECT_EQ(r.count(), 270 + 370);
  EXPECT_EQ(std::ranges::count(r.parts, Split::test), 370);
  // The README beside the sets.
  EXPECT_EQ(r.files[0].sha256, "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd");
  EXPECT_EQ(r.files[1].sha256, "b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462");

  SeriesSettings label;
  label.task = Task::label;
  label.words = "word";
  label.target = {"upos"};
  label.validate = sets + "ud-english-atis/dev.tsv";
  label.test = sets + "ud-english-atis/test.tsv";
  const Recordings words = read_recordings(sets + "ud-english-atis/train.tsv", label);
  EXPECT_EQ(words.count(), 4274 + 572 + 586);
  EXPECT_EQ(words.values.size(), 48655u + 6644 + 6580);
  EXPECT_EQ(words.targets.size(), words.values.size());
}

}  // namespace
}  // namespace unroll::data
