#include "data/table_recordings.h"

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
using Lengths = std::vector<std::int64_t>;

SeriesSettings settings_of(Task task, const char* target, const char* series = "") {
  SeriesSettings settings;
  settings.task = task;
  settings.target = {target};
  settings.series = series;
  return settings;
}

Recordings read_recordings_of(const std::string& content, SeriesSettings settings,
                              Targets targets = Targets::needed) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("x.csv", content);
  return read_table_recordings(path, settings, targets, {}, nullptr);
}

/// The error without the folder's name.
template <class E = FormatError>
std::string recordings_refusal(const std::string& content, SeriesSettings settings,
                               Targets targets = Targets::needed) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("x.csv", content);
  std::string text =
      test::error_of<E>([&] { read_table_recordings(path, settings, targets, {}, nullptr); });
  for (auto at = text.find(path); at != text.npos; at = text.find(path))
    text.replace(at, path.size(), "x.csv");
  return text;
}

const std::string kLong =
    "id,t,side,kind,x,y,subject\n"
    "b,2,left,run,5,6,7\n"
    "a,1,left,walk,1,2,8\n"
    "b,1,left,run,3,4,7\n"
    "a,2,right,walk,,9,8\n";

TEST(TableRecordings, PutRowsOfASeriesTogetherAndInOrder) {
  SeriesSettings settings = settings_of(Task::classify, "kind", "id");
  settings.time = "t";
  settings.group = "subject";
  const Recordings r = read_recordings_of(kLong, settings);
  EXPECT_EQ(r.names, (Texts{"b", "a"}));
  EXPECT_EQ(r.lengths, (Lengths{2, 2}));
  ASSERT_EQ(r.columns.size(), 3u);
  EXPECT_EQ(r.columns[0].name, "side");
  EXPECT_EQ(r.columns[0].texts, (Texts{"left", "right"}));
  EXPECT_EQ(r.columns[2].name, "y");
  EXPECT_EQ(Floats(r.values.begin(), r.values.begin() + 9), (Floats{0, 3, 4, 0, 5, 6, 0, 1, 2}));
  EXPECT_EQ(r.values[9], 1);
  EXPECT_TRUE(std::isnan(r.values[10]));
  EXPECT_EQ(r.target_columns[0].texts, (Texts{"run", "walk"}));
  EXPECT_EQ(r.targets, (Floats{0, 1}));
  EXPECT_EQ(r.groups, (Texts{"7", "8"}));
  EXPECT_FALSE(r.target_at_every_step);
  EXPECT_TRUE(r.parts.empty());
  EXPECT_EQ(r.notes.back(),
            "time: t, numbers; the rows of 1 of 2 series were in another order and are sorted");
}

TEST(TableRecordings, ResolveTheSettings) {
  SeriesSettings settings = settings_of(Task::regress, "y", "id");
  settings.ignore = {"kind", "t", "subject"};
  const test::TemporaryFolder folder;
  const std::string path = folder.write("x.tsv", "id\tt\tkind\tx\ty\tsubject\na\t1\tw\t1\t2\t8\n");
  read_table_recordings(path, settings, Targets::needed, {}, nullptr);
  EXPECT_EQ(settings.features, Texts{"x"});
  EXPECT_EQ(settings.separator, "tab");
  EXPECT_EQ(settings.decimal, ".");
  EXPECT_FALSE(settings.no_header);
  // Again, with what they became.
  const Recordings again = read_table_recordings(path, settings, Targets::needed, {}, nullptr);
  EXPECT_EQ(again.values, Floats{1});
  EXPECT_EQ(again.targets, Floats{2});
  EXPECT_FALSE(again.target_columns[0].is_text());
}

TEST(TableRecordings, TheOrderOfColumnsInTheFileHasNoInfluence) {
  const SeriesSettings settings = settings_of(Task::regress, "y", "id");
  const Recordings one = read_recordings_of("id,b,y,a,B\n1,2,3,4,5\n1,6,3,7,8\n", settings),
                   other = read_recordings_of("B,y,id,a,b\n5,3,1,4,2\n8,3,1,7,6\n", settings);
  EXPECT_EQ(one.values, (Floats{5, 4, 2, 8, 7, 6}));
  EXPECT_EQ(other.values, one.values);
  EXPECT_EQ(other.columns[0].name, "B");
}

TEST(TableRecordings, ReadTheColumnsOfFeaturesInTheirOrder) {
  SeriesSettings settings = settings_of(Task::classify, "kind", "id");
  settings.features = {"y", "t"};
  EXPECT_EQ(read_recordings_of(kLong, settings).values, (Floats{6, 2, 4, 1, 2, 1, 9, 2}));
}

TEST(TableRecordings, ReadSequencesOfWordsBetweenEmptyLines) {
  SeriesSettings settings = settings_of(Task::label, "tag");
  settings.words = "word";
  const Recordings r = read_recordings_of("word\ttag\nNA\tX\nis\tY\n\nit\tX\n\n", settings);
  EXPECT_EQ(r.lengths, (Lengths{2, 1}));
  EXPECT_EQ(r.names, (Texts{"1", "2"}));
  ASSERT_EQ(r.columns.size(), 1u);
  EXPECT_EQ(r.columns[0].texts, (Texts{"NA", "is", "it"}));
  EXPECT_EQ(r.values, (Floats{0, 1, 2}));
  EXPECT_TRUE(r.target_at_every_step);
  EXPECT_EQ(r.target_columns[0].texts, (Texts{"X", "Y"}));
  EXPECT_EQ(r.targets, (Floats{0, 1, 0}));
}

TEST(TableRecordings, AMissingTargetOfAStepIsNaN) {
  const Recordings r = read_recordings_of("x,tag\n1,a\n2,\n", settings_of(Task::label, "tag"));
  EXPECT_EQ(r.lengths, Lengths{2});
  EXPECT_EQ(r.targets[0], 0);
  EXPECT_TRUE(std::isnan(r.targets[1]));
}

TEST(TableRecordings, ReadARowAsASeries) {
  SeriesSettings settings = settings_of(Task::classify, "1");
  settings.wide = settings.no_header = true;
  const Recordings r = read_recordings_of("2,1,?,3,\n1,4,,,\n", settings);
  ASSERT_EQ(r.columns.size(), 1u);
  EXPECT_EQ(r.columns[0].name, "value");
  EXPECT_EQ(r.lengths, (Lengths{3, 1}));
  EXPECT_EQ(r.values[0], 1);
  EXPECT_TRUE(std::isnan(r.values[1]));
  EXPECT_EQ(r.values[2], 3);
  EXPECT_EQ(r.values[3], 4);
  EXPECT_EQ(r.names, (Texts{"1", "2"}));
  EXPECT_EQ(r.target_columns[0].texts, (Texts{"2", "1"}));
  EXPECT_TRUE(r.notes.back().ends_with("x.csv: steps are 4 columns, 2 to 5")) << r.notes.back();
  settings.features = {"value"};  // as they are resolved
  EXPECT_EQ(read_recordings_of("2,1,?,3,\n1,4,,,\n", settings).lengths, (Lengths{3, 1}));
}

TEST(TableRecordings, AColumnNamesTheParts) {
  const std::string content = "id,x,y,split\na,1,1,train\nb,2,2,test\nc,3,3,dev\nb,4,2,test\n";
  SeriesSettings settings = settings_of(Task::regress, "y", "id");
  settings.test = "column:split=test";
  settings.validate = "column:split=dev";
  const Recordings r = read_recordings_of(content, settings);
  EXPECT_EQ(r.columns.size(), 1u);
  EXPECT_EQ(r.parts, (std::vector<std::optional<Split>>{{}, Split::test, Split::validation}));
}

TEST(TableRecordings, ForATrainedModelTargetsAndRolesMayBeMissing) {
  SeriesSettings settings = settings_of(Task::classify, "kind", "id");
  settings.group = "subject";
  settings.features = {"x"};
  Recordings r = read_recordings_of("x,y\n1,5\n2,6\n", settings, Targets::optional);
  EXPECT_EQ(r.lengths, Lengths{2});
  EXPECT_EQ(r.values, (Floats{1, 2}));
  EXPECT_TRUE(r.target_columns.empty());
  EXPECT_TRUE(r.targets.empty());
  EXPECT_TRUE(r.groups.empty());
  r = read_recordings_of("x,kind\n1,\n2,NA\n", settings, Targets::optional);
  EXPECT_TRUE(r.target_columns.empty());
  EXPECT_EQ(recordings_refusal<ValueError>("z,y\n1,5\n", settings, Targets::optional),
            "[data] x.csv has no column \"x\", its columns are z, y");
}

TEST(TableRecordings, RefuseSettingsThatDoNotSuitATable) {
  const auto of = [](SeriesSettings settings, auto&& change) {
    change(settings);
    return recordings_refusal<ValueError>(kLong, settings);
  };
  const SeriesSettings sound = settings_of(Task::classify, "kind", "id");
  EXPECT_EQ(of(sound, [](auto& s) { s.task = Task::automatic; }),
            "[data] x.csv: --task is missing, and a table doesn't say what to learn; give classify "
            "(a class for each series), regress (numbers) or label (a class at every step)");
  EXPECT_EQ(of(sound, [](auto& s) { s.series = ""; }),
            "[data] x.csv: --series is missing: which rows belong together? Give the column that "
            "says it, or --wide if every row is a series");
  EXPECT_EQ(of(sound, [](auto& s) { s.target = {}; }),
            "[data] --target is missing; give the column to predict: one of id, t, side, kind, x, "
            "y, subject");
  EXPECT_EQ(of(sound,
               [](auto& s) {
                 s.target = {"x", "y"};
               }),
            "[data] --target has 2 columns, expected one for --task classify");
  EXPECT_EQ(
      of(sound, [](auto& s) { s.target = {"kimd"}; }),
      "[data] x.csv has no column \"kimd\", its columns are id, t, side, kind, x, y, subject; "
      "did you mean kind?");
  EXPECT_EQ(of(sound, [](auto& s) { s.group = "kind"; }),
            "[data] column kind is in --target and in --group, expected one of them");
  EXPECT_EQ(of(sound,
               [](auto& s) {
                 s.features = {"x", "x"};
               }),
            "[data] column x is in --features and in --features, expected one of them");
  EXPECT_EQ(of(sound,
               [](auto& s) {
                 s.ignore = {"t", "side", "x", "y", "subject"};
               }),
            "[data] x.csv has no column to read beside the target and those of flags; its columns "
            "are id, kind");
  EXPECT_EQ(
      of(sound, [](auto& s) { s.ignore = {"sidd"}; }),
      "[data] x.csv has no column \"sidd\", its columns are id, t, side, kind, x, y, subject; "
      "did you mean side?");
  EXPECT_EQ(of(sound, [](auto& s) { s.words = "side", s.features = {"x"}; }),
            "[data] --features and --words exclude each other: a model reads words or numbers");
  EXPECT_EQ(of(sound, [](auto& s) { s.separator = "ab"; }),
            "[data] --separator is \"ab\", expected one character, or tab");
  EXPECT_EQ(of(sound, [](auto& s) { s.decimal = ";"; }),
            "[data] --decimal is \";\", expected . or ,");
  EXPECT_EQ(of(sound, [](auto& s) { s.test = "column:side"; }),
            "[data] --test is \"column:side\", expected a column and its value, as in "
            "column:split=test");
  EXPECT_EQ(of(sound, [](auto& s) { s.test = "column:kind=fly"; }),
            "[data] x.csv: --test is \"column:kind=fly\", but column kind has only \"run\", "
            "\"walk\"");
  EXPECT_EQ(of(sound, [](auto& s) { s.time = "t", s.time_format = "%Q"; }),
            "[data] --time-format has %Q, expected one of %Y %y %m %b %d %j %H %I %p %M %S %f %z "
            "%%");
  EXPECT_EQ(of(sound, [](auto& s) { s.wide = true, s.time = "t"; }),
            "[data] x.csv: --time has no meaning with --wide, where columns are the steps");
  EXPECT_EQ(of(sound, [](auto& s) { s.wide = true, s.words = "side"; }),
            "[data] x.csv: --words has no meaning with --wide; write a row for each word");
  EXPECT_EQ(of(sound, [](auto& s) { s.wide = true, s.task = Task::label; }),
            "[data] x.csv: --wide has one class a row, but --task label needs one at every step; "
            "write a row for each step");
  EXPECT_EQ(
      of(sound, [](auto& s) { s.wide = true, s.features = {"x"}; }),
      "[data] --features has no meaning with --wide, where columns are steps; use --ignore to "
      "leave columns out");
}

TEST(TableRecordings, RefuseValuesThatContradict) {
  const SeriesSettings classify = settings_of(Task::classify, "kind", "id");
  EXPECT_EQ(recordings_refusal("id,x,kind\na,1,w\nb,2,r\na,3,r\n", classify),
            "[data] x.csv:4:3: kind is \"r\", but \"w\" in line 2 of the same series \"a\"; --task "
            "classify has one target for a series; correct it, or give --task label for a class at "
            "every step");
  EXPECT_EQ(
      recordings_refusal("id,x,y\na,1,1\na,3,2\n", settings_of(Task::regress, "y", "id")),
      "[data] x.csv:3:3: y is 2, but 1 in line 2 of the same series \"a\"; --task regress has "
      "one target for a series; correct it, or give --task label for a class at every step");
  EXPECT_EQ(
      recordings_refusal("id,x,y\na,1,high\na,3,low\n", settings_of(Task::regress, "y", "id")),
      "[data] x.csv:2:3: y is \"high\", expected a number; correct it, or leave the field "
      "empty if it is missing (also in line 3)");
  EXPECT_EQ(recordings_refusal("id,x,kind\na,1,\nb,2,\n", classify),
            "[data] x.csv: kind has no class in any row; training needs them");
  EXPECT_EQ(recordings_refusal("id,x,kind\na,1,w\n,2,w\n", classify),
            "[data] x.csv:3:1: id is missing, but --series needs it in every row; complete or "
            "delete the line");
  SeriesSettings grouped = classify;
  grouped.group = "g";
  EXPECT_EQ(recordings_refusal("id,x,kind,g\na,1,w,1\na,2,w,2\n", grouped),
            "[data] x.csv:3:4: g is \"2\", but \"1\" in line 2 of the same series \"a\"; a series "
            "can't be in two groups (--group)");
  EXPECT_EQ(recordings_refusal("id,x,kind,g\na,1,w,\n", grouped),
            "[data] x.csv:2:4: g is missing, but --group needs it for every series; complete the "
            "line");
  SeriesSettings parts = classify;
  parts.test = "column:p=t";
  EXPECT_EQ(recordings_refusal("id,x,kind,p\na,1,w,t\na,2,w,u\n", parts),
            "[data] x.csv:3:4: p is \"u\", but \"t\" in line 2 of the same series \"a\"; all rows "
            "of a series must be in the same part");
  SeriesSettings words = settings_of(Task::label, "tag");
  words.words = "word";
  EXPECT_EQ(recordings_refusal("word,tag\na,X\n,Y\n", words),
            "[data] x.csv:3:1: word is empty, expected a word; complete or delete the line");
  SeriesSettings wide = settings_of(Task::classify, "kind");
  wide.wide = true;
  EXPECT_EQ(recordings_refusal("kind,t1,t2\nw,1,2\nr,,\n", wide),
            "[data] x.csv:3: the row has no values, expected one at least; delete the line");
  wide.series = "id";
  EXPECT_EQ(
      recordings_refusal("id,kind,t1\na,w,1\nb,w,1\na,w,1\n", wide),
      "[data] x.csv:4:1: id is \"a\", as in line 2; with --wide every row is a series with its "
      "own name");
}

TEST(TableRecordings, RefuseTimesThatDoNotOrder) {
  SeriesSettings settings = settings_of(Task::classify, "kind", "id");
  settings.time = "t";
  const std::string head = "id,t,x,kind\n";
  EXPECT_EQ(
      recordings_refusal(
          head + "a,2014-07-01 00:30,1,w\nb,2014-07-01,1,w\na,2014-07-01T00:30Z,1,w\n", settings),
      "[data] x.csv:4:2: t is \"2014-07-01T00:30Z\", the same time as \"2014-07-01 00:30\" in "
      "line 2 of series \"a\"; give each row its own time, in UTC if clocks were changed");
  EXPECT_EQ(recordings_refusal(head + "a,2014-07-01,1,w\na,July,1,w\n", settings),
            "[data] x.csv:3:2: t is \"July\", expected a time such as 2014-07-01 12:30:00, or a "
            "number; correct it, or give --time-format, as in %d/%m/%Y %H:%M");
  EXPECT_EQ(
      recordings_refusal(head + "a,1.5,1,w\na,2x,1,w\n", settings),
      "[data] x.csv:3:2: t is \"2x\", expected a number, as in the rows before; correct it, or "
      "give --time-format, as in %d/%m/%Y %H:%M");
  EXPECT_EQ(recordings_refusal(head + "a,,1,w\n", settings),
            "[data] x.csv:2:2: t is missing, but --time needs it in every row; complete or delete "
            "the line");
  settings.time_format = "%d.%m.%Y";
  EXPECT_EQ(recordings_refusal(head + "a,1.7.2014,1,w\na,1/7/2014,1,w\n", settings),
            "[data] x.csv:3:2: t is \"1/7/2014\", expected a time in the form of --time-format; "
            "correct it or the format");
}

// The counts of ../shared/sets/README.md.
TEST(TableRecordings, ReadTheSets) {
  const std::string folder = UNROLL_SOURCE_DIR "/../shared/sets/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the sets aren't here";
  SeriesSettings watch = settings_of(Task::classify, "exercise", "series");
  watch.group = "subject";
  watch.ignore = {"side"};
  Recordings r =
      read_table_recordings(folder + "watch/watch.csv.gz", watch, Targets::needed, {}, nullptr);
  EXPECT_EQ(r.count(), 140);
  EXPECT_EQ(r.columns.size(), 6u);
  EXPECT_EQ(r.values.size(), 6u * 60978);
  EXPECT_EQ(std::ranges::min(r.lengths), 236);
  EXPECT_EQ(std::ranges::max(r.lengths), 654);
  EXPECT_EQ(r.target_columns[0].texts.size(), 7u);
  std::ranges::sort(r.groups);
  EXPECT_EQ(std::unique(r.groups.begin(), r.groups.end()) - r.groups.begin(), 10);

  SeriesSettings words = settings_of(Task::label, "upos");
  words.words = "word";
  r = read_table_recordings(folder + "ud-english-atis/train.tsv", words, Targets::needed, {},
                            nullptr);
  EXPECT_EQ(r.count(), 4274);
  EXPECT_EQ(r.values.size(), 48655u);
  EXPECT_EQ(r.target_columns[0].texts.size(), 13u);
}

}  // namespace
}  // namespace unroll::data
