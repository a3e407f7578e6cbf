// Which series are for training, validation and test.
#include "data/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "support/expect_error.h"
#include "unit/data/made_up_series.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using test::error_of;

const std::vector<std::string> kTen = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

/// "v": validation, "t": test, ".": training; a letter for each series.
std::string parts_of(const Recordings& r, SeriesSettings& settings) {
  std::string text;
  for (const Split part : choose_parts(r, settings))
    text += part == Split::train ? '.' : part == Split::test ? 't' : 'v';
  return text;
}
std::string parts_of(const Recordings& r) {
  SeriesSettings settings = r.settings;
  return parts_of(r, settings);
}

/// Ten numbers as targets, so that there are no classes.
Recordings ten_without_classes() {
  Recordings r = made_up_series(kTen, std::vector<std::string>(10, "k"));
  r.target_columns[0].texts.clear();
  return r;
}

// Sorted by the Philox words of (seed 0, u), the ten units are i j e f g a d h b c; of seed 1:
// d g b c j a f h i e. In Python, with Random123's philox4x32-10:
//   words = philox(counter=(u, 0, 0x54000000, 0x53504c49), key=(seed, 0)); words[0] << 32 |
//   words[1]
TEST(Split, TakesTheSmallestWords) {
  Recordings r = ten_without_classes();
  SeriesSettings settings = r.settings;
  EXPECT_EQ(parts_of(r, settings), "....v...tt");
  // round(0.15 * 8) = 1
  EXPECT_EQ(settings.test, "0.2");
  EXPECT_EQ(settings.validate, "0.15");
  r.settings.split_seed = 1;
  EXPECT_EQ(parts_of(r), ".v.t..t...");
  r.settings.split_seed = 0;
  r.settings.validate = "none";
  r.settings.test = "0.5";
  EXPECT_EQ(parts_of(r), "....ttt.tt" + std::string());
}

TEST(Split, TheOrderOfSeriesHasNoInfluence) {
  const Recordings r = made_up_series({"a", "b", "c", "d", "e", "f", "g", "h"},
                                      {"x", "y", "x", "y", "x", "y", "x", "y"});
  const std::string parts = parts_of(r);
  const Recordings turned = made_up_series({"h", "g", "f", "e", "d", "c", "b", "a"},
                                           {"y", "x", "y", "x", "y", "x", "y", "x"});
  std::string back = parts_of(turned);
  std::ranges::reverse(back);
  EXPECT_EQ(back, parts);
}

TEST(Split, EachClassGivesItsShare) {
  std::vector<std::string> names, classes;
  for (int i = 0; i < 100; ++i) {
    names.push_back(std::to_string(i));
    classes.push_back(i % 10 == 0 ? "rare" : "usual");
  }
  Recordings r = made_up_series(names, classes);
  r.settings.validate = "none";
  const std::string parts = parts_of(r);
  std::map<std::string, int> tested;
  for (std::size_t k = 0; k < parts.size(); ++k) tested[classes[k]] += parts[k] == 't';
  EXPECT_EQ(tested["rare"], 2);    // 0.2 of 10
  EXPECT_EQ(tested["usual"], 18);  // 0.2 of 90
}

TEST(Split, AClassKeepsASeriesForTraining) {
  Recordings r = made_up_series({"a", "b", "c", "d"}, {"x", "x", "y", "z"});
  r.settings.test = "0.5";
  r.settings.validate = "none";
  const std::string parts = parts_of(r);
  EXPECT_EQ(std::ranges::count(parts, 't'), 1);
  EXPECT_EQ(parts.substr(2), "..");
}

TEST(Split, GroupsStayTogether) {
  // The groups, sorted: p q r s. Each has both classes, so the split is not by class. The words of
  // units 0 to 3 in ascending order: 0 3 1 2.
  Recordings r = made_up_series({"a", "b", "c", "d", "e", "f", "g", "h"},
                                {"x", "y", "x", "y", "x", "y", "x", "y"});
  r.groups = {"s", "s", "q", "q", "r", "r", "p", "p"};
  r.settings.test = "0.25";
  r.settings.validate = "0.34";
  EXPECT_EQ(parts_of(r), "vv....tt");
  r.settings.test = "groups:q";
  r.settings.validate = "groups:p,s";
  EXPECT_EQ(parts_of(r), "vvtt..vv");
}

TEST(Split, FoldsAreDealtRound) {
  Recordings r = ten_without_classes();
  r.settings.folds = 3;
  r.settings.validate = "none";
  // i j e f g a d h b c
  // 0 1 2 0 1 2 0 1 2 0
  for (const auto& [fold, parts] :
       {std::pair(0, "..tt.t..t."), std::pair(1, "......tt.t"), std::pair(2, "tt..t.....")}) {
    r.settings.fold = fold;
    EXPECT_EQ(parts_of(r), parts);
  }
  r.settings.validate = "auto";
  SeriesSettings settings = r.settings;
  // round(0.15 * 7) = 1: i
  EXPECT_EQ(parts_of(r, settings), "tt..t...v.");
  EXPECT_EQ(settings.test, "none");
  EXPECT_EQ(settings.validate, "0.15");
}

TEST(Split, OneSeriesCantBeSplit) {
  Recordings r = made_up_series({"a"}, {"x"});
  EXPECT_EQ(error_of<ValueError>([&] { parts_of(r); }),
            "[test] auto, but one series can't be split; give --series, the column that says which "
            "rows belong together, or --test none to train on all");
  r.settings.test = "none";
  EXPECT_EQ(parts_of(r), ".");
}

TEST(Split, FilesDecideFirst) {
  Recordings r = ten_without_classes();
  r.parts.assign(10, std::nullopt);
  for (std::size_t k = 5; k < 10; ++k) r.parts[k] = Split::test;
  SeriesSettings settings = r.settings;
  EXPECT_EQ(parts_of(r, settings), ".....ttttt");
  EXPECT_EQ(settings.validate, "none");  // a test file, and few series
  settings.validate = "0.2";
  EXPECT_EQ(parts_of(r, settings), "....vttttt");
  r.parts[0] = Split::validation;
  settings.validate = "valid.csv";
  EXPECT_EQ(parts_of(r, settings), "v....ttttt");
}

TEST(Split, ManySeriesWithATestFileGiveAValidationPart) {
  std::vector<std::string> names;
  for (int i = 0; i < 501; ++i) names.push_back(std::to_string(i));
  Recordings r = made_up_series(names, std::vector<std::string>(501, "k"));
  r.parts.assign(501, std::nullopt);
  r.parts[500] = Split::test;
  SeriesSettings settings = r.settings;
  const std::string parts = parts_of(r, settings);
  EXPECT_EQ(std::ranges::count(parts, 'v'), 75);
  EXPECT_EQ(settings.validate, "0.15");
}

TEST(Split, Errors) {
  const auto error = [](auto&& change) {
    Recordings r = ten_without_classes();
    change(r);
    SeriesSettings settings = r.settings;
    return error_of<ValueError>([&] { choose_parts(r, settings); });
  };
  EXPECT_EQ(error([](Recordings& r) { r.settings.test = "1.5"; }),
            "[test] 1.5, expected a share above 0 and below 1, or none");
  EXPECT_EQ(error([](Recordings& r) { r.settings.validate = "0.01"; }),
            "[validate] 0.01 of 8 series is none; give a larger share, or none");
  EXPECT_EQ(error([](Recordings& r) { r.settings.test = "later"; }),
            "[test] \"later\" has no series; expected a file, a share as in 0.2, groups:7,8, "
            "column:split=test, auto or none");
  EXPECT_EQ(error([](Recordings& r) { r.settings.test = r.settings.validate = "x.csv"; }),
            "[validate] \"x.csv\" is also --test; give other series, or none");
  EXPECT_EQ(error([](Recordings& r) { r.settings.test = "groups:7"; }),
            "[test] groups, but the series have none; name their column with --group");
  const auto grouped = [&](const char* test, const char* validation) {
    return error([&](Recordings& r) {
      r.groups = {"1", "1", "2", "2", "3", "3", "4", "4", "5", "5"};
      r.settings.test = test;
      r.settings.validate = validation;
    });
  };
  EXPECT_EQ(grouped("groups:7", "none"),
            "[test] no series has the group \"7\"; there are 1, 2, 3, 4, 5");
  EXPECT_EQ(grouped("groups:1,2", "groups:2,3"),
            "[validate] group \"2\" is already in a part; name it once");
  EXPECT_EQ(grouped("groups:1,,2", "none"),
            "[test] \"groups:1,,2\" names an empty group; write it as groups:7,8");
  EXPECT_EQ(grouped("groups:1,2", "groups:3,4,5"),
            "[data] all groups are taken by --test groups:1,2 and --validate groups:3,4,5; none "
            "are left for training");
  EXPECT_EQ(error([](Recordings& r) {
              r.groups = {"1", "1", "2", "2", "3", "3", "4", "4", "5", "5"};
              r.parts.assign(10, std::nullopt);
              r.parts[1] = Split::test;
            }),
            "[data] group \"1\" is in two parts: series \"a\" is for training, series \"b\" for "
            "testing; give all its series to one part");
  EXPECT_EQ(error([](Recordings& r) { r.settings.folds = 11; }),
            "[folds] 11 of 10 series; give at most 10");
  EXPECT_EQ(error([](Recordings& r) {
              r.settings.folds = 2;
              r.settings.test = "0.2";
            }),
            "[folds] 2 with a test part of its own; give --test none, or leave --folds out");
}

}  // namespace
}  // namespace unroll::data
