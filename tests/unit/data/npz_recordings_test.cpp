#include "data/npz_recordings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "io/npy_start.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "unit/import/archives.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using Texts = std::vector<std::string>;
using Floats = std::vector<float>;
using Sizes = std::vector<std::int64_t>;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct Array {
  std::string name;
  Sizes shape;
  Floats values;
};

std::string npz_of(const std::vector<Array>& arrays) {
  importer::Entries entries;
  for (const Array& array : arrays)
    entries.emplace_back(array.name + ".npy",
                         io::npy_start(array.name, array.shape, io::ElementType::f32) +
                             std::string(reinterpret_cast<const char*>(array.values.data()),
                                         array.values.size() * 4));
  const importer::Bytes bytes = importer::zip_of(entries, true);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// An .npy file of two elements.
std::string npy_of(const std::string& type, const std::string& data) {
  const std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (2,), }\n";
  std::string start("\x93NUMPY\x01\x00", 8);
  start.push_back(static_cast<char>(header.size()));
  start.push_back('\0');
  return start + header + data;
}

class NpzRecordings : public ::testing::Test {
 protected:
  Recordings read(const std::vector<Array>& arrays, Task task, Targets targets = Targets::needed) {
    settings_.task = task;
    return read_npz_recordings(folder_.write("x.npz", npz_of(arrays)), settings_, targets);
  }

  template <class E = FormatError>
  std::string refusal(const std::string& content, Task task) {
    const std::string path = folder_.write("x.npz", content);
    settings_.task = task;
    std::string text =
        test::error_of<E>([&] { read_npz_recordings(path, settings_, Targets::needed); });
    for (auto at = text.find(path); at != text.npos; at = text.find(path))
      text.replace(at, path.size(), "x.npz");
    return text;
  }

  test::TemporaryFolder folder_;
  SeriesSettings settings_;
};

// numpy.savez_compressed(X=numpy.arange(12, dtype=numpy.int16).reshape(2, 3, 2),
//     y=numpy.array([7, -1]), lengths=numpy.array([3, 2], dtype=numpy.uint8),
//     groups=numpy.array([4.0, 5.0])), NumPy 2.4.6
TEST_F(NpzRecordings, ReadWhatNumPyWrote) {
  settings_.task = Task::classify;
  const Recordings r = read_npz_recordings(UNROLL_SOURCE_DIR "/tests/unit/data/files/series.npz",
                                           settings_, Targets::needed);
  EXPECT_EQ(r.lengths, (Sizes{3, 2}));
  EXPECT_EQ(r.values, (Floats{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  ASSERT_EQ(r.columns.size(), 2u);
  EXPECT_EQ(r.columns[1].name, "x_1");
  EXPECT_EQ(r.target_columns[0].texts, (Texts{"7", "-1"}));
  EXPECT_EQ(r.targets, (Floats{0, 1}));
  EXPECT_EQ(r.groups, (Texts{"4", "5"}));
  EXPECT_EQ(r.names, (Texts{"1", "2"}));
  EXPECT_TRUE(r.parts.empty());
  EXPECT_TRUE(r.notes.empty());
  EXPECT_EQ(settings_.target, Texts{"y"});
  EXPECT_EQ(settings_.features, (Texts{"x_0", "x_1"}));
}

// numpy.savez_compressed(X=numpy.arange(8, dtype=numpy.float32).reshape(4, 2),
//     y=numpy.array(["läuft", "ruht", "", "läuft"]),
//     groups=numpy.array([b"s1", b"s2", b"s10", b"s1"])), NumPy 2.4.6
TEST_F(NpzRecordings, ReadTextsThatNumPyWrote) {
  settings_.task = Task::classify;
  const Recordings r = read_npz_recordings(UNROLL_SOURCE_DIR "/tests/unit/data/files/texts.npz",
                                           settings_, Targets::needed);
  EXPECT_EQ(r.target_columns[0].texts, (Texts{"läuft", "ruht"}));
  ASSERT_EQ(r.targets.size(), 4u);
  EXPECT_EQ(r.targets[0], 0);
  EXPECT_EQ(r.targets[1], 1);
  EXPECT_TRUE(std::isnan(r.targets[2]));
  EXPECT_EQ(r.targets[3], 0);
  EXPECT_EQ(r.groups, (Texts{"s1", "s2", "s10", "s1"}));
}

// numpy.savez_compressed(X=numpy.arange(8, dtype=numpy.float32).reshape(2, 4),
//     y=numpy.asfortranarray([["walk", "run", "walk", "𝄞"], ["run", "run", "NA", "walk"]])
//     .astype(">U4")), NumPy 2.4.6
TEST_F(NpzRecordings, ReadTextsInFortranOrderAndBigEndian) {
  settings_.task = Task::label;
  const Recordings r = read_npz_recordings(
      UNROLL_SOURCE_DIR "/tests/unit/data/files/label_texts.npz", settings_, Targets::needed);
  EXPECT_EQ(r.target_columns[0].texts, (Texts{"walk", "run", "𝄞"}));
  ASSERT_EQ(r.targets.size(), 8u);
  EXPECT_TRUE(std::isnan(r.targets[6]));
  EXPECT_EQ((Floats{r.targets.begin(), r.targets.begin() + 6}), (Floats{0, 1, 0, 2, 1, 1}));
  EXPECT_EQ(r.targets[7], 0);
}

TEST_F(NpzRecordings, RefuseTextsThatAreNoClasses) {
  const auto of = [&](std::string_view name, const std::string& array, Task task) {
    importer::Entries entries = {
        {"X.npy", io::npy_start("X", {2, 1}, io::ElementType::f32) + std::string(8, '\0')},
        {"y.npy", io::npy_start("y", {2}, io::ElementType::f32) + std::string(8, '\0')}};
    std::erase_if(entries, [&](const auto& entry) { return entry.first == name; });
    entries.emplace_back(name, array);
    const importer::Bytes bytes = importer::zip_of(entries, true);
    return refusal({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, task);
  };
  EXPECT_EQ(of("y.npy", npy_of("|S1", "ab"), Task::regress),
            "[data] x.npz: y has texts, expected numbers for --task regress; give --task classify "
            "for classes");
  EXPECT_EQ(
      of("y.npy", npy_of("|S1", "a\xff"), Task::classify),
      "[npy] x.npz: y: the text [1] is not Unicode; save it with numpy.array(..., dtype=str)");
  EXPECT_EQ(
      of("y.npy", npy_of("<U1", std::string("a\0\0\0\0\xd8\0\0", 8)), Task::classify),
      "[npy] x.npz: y: the text [1] is not Unicode; save it with numpy.array(..., dtype=str)");
  EXPECT_EQ(of("y.npy", npy_of("|S1", std::string(2, '\0')), Task::classify),
            "[data] x.npz: y has no class; training needs the classes");
  EXPECT_EQ(of("groups.npy", npy_of("|S1", std::string("a\0", 2)), Task::classify),
            "[data] x.npz: groups has a missing text, expected whole numbers or texts");
}

TEST_F(NpzRecordings, NaNAtTheEndEndsASeries) {
  const Recordings r =
      read({{"X", {2, 3}, {1, kNaN, kNaN, kNaN, 2, 3}}, {"y", {2}, {0.5, kNaN}}, {"z", {0}, {}}},
           Task::regress);
  EXPECT_EQ(r.lengths, (Sizes{1, 3}));
  EXPECT_EQ(r.values[0], 1);
  EXPECT_TRUE(std::isnan(r.values[1]));
  EXPECT_EQ(r.targets[0], 0.5f);
  EXPECT_TRUE(std::isnan(r.targets[1]));
  ASSERT_EQ(r.notes.size(), 2u);
  EXPECT_TRUE(r.notes[0].ends_with("x.npz: 1 series end in NaN, which are no steps of them"));
  EXPECT_TRUE(r.notes[1].ends_with("x.npz: not read: z.npy"));
}

TEST_F(NpzRecordings, ReadSeveralTargetsAndClassesOfSteps) {
  Recordings r = read({{"X", {1, 2}, {1, 2}}, {"y", {1, 2}, {3, 4}}}, Task::regress);
  EXPECT_EQ(settings_.target, (Texts{"y_0", "y_1"}));
  EXPECT_EQ(r.targets, (Floats{3, 4}));
  settings_ = {};
  r = read({{"X", {2, 2}, {1, 2, 3, 4}}, {"y", {2, 2}, {5, 6, 6, 7}}, {"lengths", {2}, {2, 1}}},
           Task::label);
  EXPECT_TRUE(r.target_at_every_step);
  EXPECT_EQ(r.targets, (Floats{0, 1, 1}));
  EXPECT_EQ(r.target_columns[0].texts, (Texts{"5", "6"}));
}

TEST_F(NpzRecordings, ReadParts) {
  const Recordings r = read({{"X_train", {2, 1}, {1, 2}},
                             {"y_train", {2}, {1, 0}},
                             {"X_val", {1, 2}, {3, 4}},
                             {"y_val", {1}, {0}},
                             {"X_test", {1, 1}, {5}},
                             {"y_test", {1}, {2}}},
                            Task::classify);
  EXPECT_EQ(r.parts, (std::vector<std::optional<Split>>{{}, {}, Split::validation, Split::test}));
  EXPECT_EQ(r.values, (Floats{1, 2, 3, 4, 5}));
  EXPECT_EQ(r.targets, (Floats{0, 1, 1, 2}));
  EXPECT_EQ(r.names, (Texts{"1", "2", "1", "1"}));
}

TEST_F(NpzRecordings, ForATrainedModelTargetsMayBeMissing) {
  EXPECT_TRUE(read({{"X", {1, 1}, {1}}}, Task::classify, Targets::optional).targets.empty());
  const Recordings r =
      read({{"X", {1, 1}, {1}}, {"y", {1}, {kNaN}}}, Task::classify, Targets::optional);
  EXPECT_TRUE(r.targets.empty());
  EXPECT_TRUE(r.target_columns.empty());
}

TEST_F(NpzRecordings, RefuseEachMalformedFile) {
  const Array x = {"X", {2, 2}, {1, 2, 3, 4}}, y = {"y", {2}, {0, 1}};
  const auto of = [&](const std::vector<Array>& arrays, Task task = Task::classify) {
    return refusal(npz_of(arrays), task);
  };
  const auto shape = [&](const std::vector<Array>& arrays, Task task = Task::classify) {
    return refusal<ShapeError>(npz_of(arrays), task);
  };
  EXPECT_EQ(refusal("text", Task::classify),
            "[data] x.npz is not an .npz file, expected a zip archive of arrays; save it with "
            "numpy.savez");
  EXPECT_EQ(of({{"a", {1}, {1}}, y}),
            "[data] x.npz: it has a, y, expected X and y, or X_train, y_train, X_test and y_test; "
            "save them with numpy.savez(\"x.npz\", X=X, y=y)");
  EXPECT_EQ(of({x, y, {"X_train", {1, 1}, {1}}}),
            "[data] x.npz: it has both X and X_train, expected one of them; delete one");
  EXPECT_EQ(of({x}),
            "[data] x.npz: it has no y; training needs the classes or targets of the series");
  EXPECT_EQ(shape({{"X", {4}, {1, 2, 3, 4}}, y}),
            "[data] x.npz: X has shape (4), expected (N, T) or (N, T, I)");
  EXPECT_EQ(shape({{"X", {2, 0}, {}}, y}),
            "[data] x.npz: X has shape (2, 0), expected sizes above 0");
  EXPECT_EQ(shape({x, {"y", {3}, {0, 1, 2}}}),
            "[data] x.npz: y has shape (3), expected (2) or (2, M)");
  EXPECT_EQ(shape({x, {"y", {2, 2}, {0, 1, 2, 3}}}),
            "[data] x.npz: y has shape (2, 2), expected (2), one class for each series");
  EXPECT_EQ(shape({x, y}, Task::label),
            "[data] x.npz: y has shape (2), expected (2, 2), a class for each step");
  EXPECT_EQ(shape({x, y, {"lengths", {1}, {1}}}),
            "[data] x.npz: lengths has shape (1), expected (2)");
  EXPECT_EQ(of({x, y, {"lengths", {2}, {1, 3}}}),
            "[data] x.npz: lengths[1] is 3, expected a whole number from 1 to 2");
  EXPECT_EQ(of({{"X_train", {1, 1}, {1}}, {"X_test", {1, 1}, {1}}, {"y_train", {1}, {1}}}),
            "[data] x.npz: it has y_train or y_test without the other; save both");
  EXPECT_EQ(of({x, {"y", {2}, {0, 0.5}}}),
            "[data] x.npz: y[1] is 0.5, expected a whole number for --task classify; give --task "
            "regress for numbers");
  EXPECT_EQ(of({x, {"y", {2}, {kNaN, kNaN}}}),
            "[data] x.npz: y has no class; training needs the classes");
  EXPECT_EQ(of({{"X", {2, 2}, {1, INFINITY, 3, 4}}, y}),
            "[data] x.npz: X[0, 1] is infinite, or beyond f32; write NaN for a missing value");
  EXPECT_EQ(of({{"X", {2, 2}, {1, 2, kNaN, kNaN}}, y}),
            "[data] x.npz: X[1] has only NaN; delete the series");
  EXPECT_EQ(of({x, y, {"groups", {2}, {1, 0.5}}}),
            "[data] x.npz: groups has 0.5, expected whole numbers or texts");
  EXPECT_EQ(shape({x, y, {"groups", {1}, {1}}}),
            "[data] x.npz: groups has shape (1), expected (2)");
  EXPECT_EQ(shape({{"X_train", {1, 1}, {1}},
                   {"y_train", {1}, {1}},
                   {"X_test", {1, 1, 2}, {1, 2}},
                   {"y_test", {1}, {1}}}),
            "[data] x.npz: X_test has shape (1, 1, 2), expected 1 features, as X_train has");
}

TEST_F(NpzRecordings, RefuseSettingsThatDoNotSuitArrays) {
  const std::string content = npz_of({{"X", {1, 1}, {1}}, {"y", {1}, {1}}});
  EXPECT_EQ(refusal<ValueError>(content, Task::automatic),
            "[data] x.npz: --task is missing, and arrays don't say what to learn; give classify (a "
            "class for each series), regress (numbers) or label (a class at every step)");
  settings_.series = "id";
  EXPECT_EQ(refusal<ValueError>(content, Task::classify),
            "[data] x.npz: --series is for tables; the columns of an .npz file are x_0, x_1, ...; "
            "leave it out");
  settings_ = {};
  settings_.target = {"z"};
  EXPECT_EQ(refusal<ValueError>(content, Task::classify),
            "[data] --target is z, but the target of x.npz is called y; leave --target out");
  settings_ = {};
  settings_.test = "0.2";
  EXPECT_EQ(refusal<ValueError>(npz_of({{"X_train", {1, 1}, {1}}, {"X_test", {1, 1}, {1}}}),
                                Task::classify),
            "[data] x.npz has X_test, but --test is \"0.2\"; leave it out");
}

TEST_F(NpzRecordings, RefuseGroupsOfOnlyOneFile) {
  const Array x{"X", {2, 1, 1}, {1, 2}}, y{"y", {2}, {0, 1}}, groups{"groups", {2}, {1, 2}};
  const Array other{"X", {2, 1, 1}, {3, 4}};
  const std::string with = folder_.write("with.npz", npz_of({x, y, groups})),
                    without = folder_.write("without.npz", npz_of({other, y}));
  for (const bool first_has : {true, false}) {
    const std::string first = first_has ? with : without;
    SeriesSettings settings;
    settings.task = Task::classify;
    settings.test = first_has ? without : with;
    EXPECT_EQ(test::error_of<FormatError>([&] { read_recordings(first, settings); }),
              "[data] " + with + " has groups, but " + without +
                  " has none; give them in all files, or in none");
  }
}

TEST_F(NpzRecordings, TruncatedAnywhereTheyAreRefused) {
  const std::string whole = npz_of({{"X", {1, 1}, {1}}, {"y", {1}, {1}}});
  for (std::size_t size = 0; size < whole.size(); size += 7)
    EXPECT_NE(refusal(whole.substr(0, size), Task::classify), "");
}

}  // namespace
}  // namespace unroll::data
