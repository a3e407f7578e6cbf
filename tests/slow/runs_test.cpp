// unroll runs: a table of the runs in a folder.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/expect_parts.h"
#include "support/program.h"
#include "support/temporary_folder.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;

const std::string kOldRuns = UNROLL_SOURCE_DIR "/tests/slow/made_by_0.1.0";

/// Runs of an older program, beside folders of other kinds.
struct SomeRuns {
  test::TemporaryFolder folder;

  SomeRuns() {
    for (const char* name : {"adding", "diverged", "interrupted-mnist", "lstm"})
      std::filesystem::copy(kOldRuns + "/" + name, folder / name,
                            std::filesystem::copy_options::recursive);
    folder.write("notes.txt", "no run");
    folder.write("pictures/cat.png", "no run");
  }
};

TEST(Runs, AreATableSortedByName) {
  const SomeRuns runs;
  const auto result = test::run_program({"runs", runs.folder.path()});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  // As config.json, manifest.json and the last test of each say.
  EXPECT_EQ(test::lines_of(result.out),
            (Texts{"name               status       steps    result            loss    data    "
                   "model   seed  lr",
                   "adding             finished     20       accuracy 3.00 %   0.6142  adding  gru"
                   "     0     0.01",
                   "diverged           diverged     0/200    accuracy 10.00 %  0.1876  mnist   "
                   "linear  0     1",
                   "interrupted-mnist  interrupted  121/400  accuracy 13.00 %  2.293   mnist   lstm"
                   "    0     0.01",
                   "lstm               finished     20       accuracy 9.00 %   2.306   mnist   lstm"
                   "    0     0.01"}));
}

TEST(Runs, AsLinesOfJson) {
  const SomeRuns runs;
  const auto result = test::run_program({"runs", runs.folder.path(), "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  std::vector<Json> lines;
  for (const std::string& line : test::lines_of(result.out)) lines.push_back(Json::parse(line));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[1], (Json{{"event", "run"},
                            {"name", "diverged"},
                            {"folder", runs.folder / "diverged"},
                            {"status", "diverged"},
                            {"step", 0},
                            {"steps", 200},
                            {"loss", 0.18759558105468749},
                            {"accuracy", 10},
                            {"correct", 10},
                            {"total", 100},
                            {"dataset", "mnist"},
                            {"model", "linear"},
                            {"recipe", "tutorial"},
                            {"seed", 0},
                            {"lr", 1}}));
}

TEST(Runs, ThatCantBeReadAreListedWithTheReason) {
  const SomeRuns runs;
  runs.folder.write("broken-1/config.json", "{");
  runs.folder.write("broken-2/model.safetensors", "x");
  runs.folder.write("lstm/metrics.jsonl", "{}\n");
  runs.folder.write("adding/manifest.json", "{}");
  runs.folder.write("a\x1b[31m\n/config.json", "[]");
  const auto result = test::run_program({"runs", runs.folder.path()});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(test::lines_of(result.out).size(), 1u + 2 + 5) << result.out;
  test::expect_parts(result.out,
                     {"\nbroken-1: ", "\nbroken-2: ", "has no run, because it has no config.json",
                      "\nlstm: ", "metrics.jsonl is damaged or was changed",
                      "\nadding: ", "manifest.json is damaged", "a\\x1b[31m\\n: "});
  const auto json = test::run_program({"runs", runs.folder.path(), "--json"});
  int faults = 0;
  for (const std::string& line : test::lines_of(json.out))
    faults += Json::parse(line).contains("error");
  EXPECT_EQ(faults, 5);
}

TEST(Runs, OfNoRuns) {
  const SomeRuns runs;
  auto result = test::run_program({"runs"});
  EXPECT_EQ(result.code, 1);
  test::expect_parts(result.err, {"there is no folder runs here", "unroll runs FOLDER"});
  result = test::run_program({"runs", runs.folder / "pictures"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, "");
  test::expect_parts(result.err, {"no runs in "});
  result = test::run_program({"runs", runs.folder / "lstm"});
  EXPECT_EQ(result.code, 2);
  test::expect_parts(result.err, {"is the folder of one run", "unroll report "});
  result = test::run_program({"runs", runs.folder / "none"});
  EXPECT_EQ(result.code, 1);
  test::expect_parts(result.err, {"can't open the folder"});
}

}  // namespace
}  // namespace unroll
