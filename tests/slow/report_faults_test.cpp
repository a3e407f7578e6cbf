// Reports of runs with a fault: a damaged file, a lost manifest, trouble on the way, a taken name.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/expect_parts.h"
#include "support/report_data.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using test::expect_parts;
using test::SmallRun;
using Texts = std::vector<std::string>;

/// A short run, and its report.
struct FaultyRun {
  SmallRun runs;
  std::string folder = runs.folder / "run";

  FaultyRun() {
    const auto result =
        runs.train("run", {"--steps", "20", "--eval-every", "10", "--batch-size", "20"});
    EXPECT_EQ(result.code, 0) << result.err;
  }
  void append_a_byte(const std::string& name) const {
    runs.folder.write("run/" + name, test::content_of(folder + "/" + name) + "x");
  }
  test::ProgramResult report() const { return test::run_program({"report", folder, "-o", "-"}); }
};

Json run_in(const test::ProgramResult& result) {
  return test::data_of_page(result.out).at("runs").at(0);
}

TEST(ReportFaults, WithoutReadableSamplesTheRestIsThere) {
  const FaultyRun faulty;
  faulty.append_a_byte("samples.safetensors");
  const auto result = faulty.report();
  ASSERT_EQ(result.code, 0) << result.err;
  expect_parts(result.err, {"note: ", "samples.safetensors is damaged"});
  const Json run = run_in(result);
  EXPECT_EQ(run.at("notes").size(), 1u);
  expect_parts(run.at("notes").at(0), {"samples.safetensors is damaged"});
  EXPECT_FALSE(run.contains("samples"));
  EXPECT_TRUE(run.contains("network"));
  EXPECT_EQ(run.at("evaluations").size(), 2u);
}

TEST(ReportFaults, WithoutAReadableModelTheRestIsThere) {
  const FaultyRun faulty;
  std::filesystem::remove(faulty.folder + "/model.safetensors");
  const auto result = faulty.report();
  ASSERT_EQ(result.code, 0) << result.err;
  expect_parts(result.err, {"model.safetensors"});
  const Json run = run_in(result);
  expect_parts(run.at("notes").at(0), {"model.safetensors"});
  EXPECT_FALSE(run.contains("network"));
  EXPECT_TRUE(run.contains("samples"));
  EXPECT_EQ(run.at("task"), "classes");  // the samples say it
  EXPECT_EQ(run.at("curves").at("step").size(), 20u);
}

TEST(ReportFaults, OfSeveralRunsThoseThatCantBeReadAreLeftOut) {
  const FaultyRun faulty;
  const SmallRun& runs = faulty.runs;
  for (const char* seed : {"1", "2"}) ASSERT_EQ(runs.train(seed, {"--steps", "2"}).code, 0);
  runs.folder.write("2/model.safetensors", "x");
  faulty.append_a_byte("metrics.jsonl");
  auto result =
      test::run_program({"report", faulty.folder, runs.folder / "1", runs.folder / "2", "-o", "-"});
  ASSERT_EQ(result.code, 0) << result.err;
  expect_parts(result.err, {"left out: ", "run/metrics.jsonl is damaged", "2/model.safetensors"});
  const Json data = test::data_of_page(result.out);
  ASSERT_EQ(data.at("runs").size(), 2u);
  EXPECT_EQ(data.at("runs").at(0).at("name"), "1");
  EXPECT_FALSE(data.at("runs").at(0).contains("notes"));
  expect_parts(data.at("runs").at(1).at("notes").at(0), {"2/model.safetensors"});
  // One run is left: its own page.
  result = test::run_program({"report", faulty.folder, runs.folder / "1", "-o", "-"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(run_in(result).contains("network"));
  // None is left.
  result = test::run_program({"report", faulty.folder, runs.folder / "none", "-o", "-"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.out, "");
}

// Nothing tells that it finished, but it certainly is not in training.
TEST(ReportFaults, ALostManifestIsSaid) {
  const FaultyRun faulty;
  std::filesystem::remove(faulty.folder + "/manifest.json");
  const Json run = run_in(faulty.report());
  EXPECT_EQ(run.at("status"), "unknown");
  expect_parts(run.at("reason"), {"no manifest.json", "unroll train --config "});
  EXPECT_EQ(std::string(run.at("reason")).find("--resume"), std::string::npos);
  for (const Json& one : run.at("commands"))
    EXPECT_EQ(std::string(one.at("command")).find("--resume"), std::string::npos) << one;
  expect_parts(test::run_program({"runs", faulty.runs.folder.path()}).out, {"run   unknown"});
  // The program itself refuses to go on with it.
  EXPECT_EQ(test::run_program({"train", "--resume", faulty.folder}).code, 1);
  // Killed before it wrote the manifest: it can.
  for (const char* name : {"metrics.jsonl", "model.safetensors", "samples.safetensors"})
    std::filesystem::remove(faulty.folder + "/" + name);
  EXPECT_EQ(run_in(faulty.report()).at("status"), "training");
}

// The losses explode at the start, and the clipping of later tests hides it.
TEST(ReportFaults, TroubleOfAnyTestIsFoundOnce) {
  const SmallRun runs;
  const auto result =
      runs.train("run", {"--recipe", "tutorial", "--lr", "3", "--clip-norm", "1", "--steps", "60",
                         "--eval-every", "10", "--schedule", "linear"});
  ASSERT_EQ(result.code, 0) << result.err;
  // As the program said it on the way.
  Texts said;
  for (const std::string& line : test::lines_of(result.err))
    if (line.starts_with("note: step ")) said.push_back(line);
  ASSERT_FALSE(said.empty()) << result.err;
  const Json run = run_in(test::run_program({"report", runs.folder / "run", "-o", "-"}));
  ASSERT_EQ(run.at("findings").size(), said.size()) << run.at("findings") << result.err;
  for (std::size_t i = 0; i < said.size(); ++i) {
    const Json& f = run.at("findings").at(i);
    EXPECT_EQ(said[i], fmt::format("note: step {}: {}: {} Try {}.", f.at("step").get<int>(),
                                   f.at("name").get<std::string>(), f.at("what").get<std::string>(),
                                   f.at("remedy").get<std::string>()));
  }
  EXPECT_LT(run.at("findings").at(0).at("step"), 60);
}

TEST(ReportFaults, ATakenNameIsRefusedBeforeTheFirstStep) {
  const SmallRun runs;
  runs.folder.write("run.html", "mine");
  auto result = runs.train("run", {"--steps", "20", "--report"});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.out, "");
  expect_parts(result.err, {"run.html is there, and is no report"});
  EXPECT_FALSE(std::filesystem::exists(runs.folder / "run"));
  EXPECT_EQ(test::content_of(runs.folder / "run.html"), "mine");
  // Another run's report is no obstacle.
  std::filesystem::remove(runs.folder / "run.html");
  ASSERT_EQ(runs.train("run", {"--steps", "2", "--report"}).code, 0);
  std::filesystem::remove_all(runs.folder / "run");
  EXPECT_EQ(runs.train("run", {"--steps", "2", "--report"}).code, 0);
}

struct UsedRun {
  const char* name;
  Texts arguments;
  bool rows, onnx, cpp;
};

class ReportCommands : public testing::TestWithParam<UsedRun> {};
INSTANTIATE_TEST_SUITE_P(
    Of, ReportCommands,
    testing::Values(UsedRun{"Plain", {"mnist"}, true, true, true},
                    UsedRun{"Bidirectional", {"mnist", "--bidirectional"}, false, true, false},
                    UsedRun{"Permuted", {"mnist", "--permute"}, false, true, true},
                    UsedRun{"LayerNorm", {"mnist", "--layer-norm"}, true, false, true},
                    UsedRun{"Cnn", {"mnist", "--model", "cnn"}, false, true, false},
                    UsedRun{
                        "Copy", {"copy", "--length", "5", "--bidirectional"}, false, true, false}),
    [](const auto& test) { return std::string(test.param.name); });

// Every command of the page does what it says.
TEST_P(ReportCommands, Work) {
  const SmallRun runs;
  Texts arguments = {"train",   "--data-dir", runs.data_dir, "--out", runs.folder / "run",
                     "--steps", "3",          "--hidden",    "4"};
  arguments.insert(arguments.begin() + 1, GetParam().arguments.begin(), GetParam().arguments.end());
  const auto trained = test::run_program(arguments);
  ASSERT_EQ(trained.code, 0) << trained.err;
  const Json run = run_in(test::run_program({"report", runs.folder / "run", "-o", "-"}));
  std::string all;
  for (const Json& one : run.at("commands")) {
    const std::string command = one.at("command");
    all += command + "\n";
    const auto done = test::run_program(
        {}, {.environment = {{"UNROLL_DATA_DIR", runs.data_dir}},
             .script = fmt::format("unroll() {{ \"$0\" \"$@\"; }}\n{}", command)});
    EXPECT_EQ(done.code, 0) << command << "\n" << done.err;
  }
  const auto has = [&](const char* part) { return all.find(part) != std::string::npos; };
  EXPECT_EQ(has("--rows"), GetParam().rows) << all;
  EXPECT_EQ(has("--format onnx"), GetParam().onnx) << all;
  EXPECT_EQ(has("--format npz"), !GetParam().onnx) << all;
  EXPECT_EQ(has("--format cpp"), GetParam().cpp) << all;
  EXPECT_TRUE(has("--format js")) << all;
}

TEST(ReportFaults, StatesAreThereOnlyWithoutTheNetwork) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("small", {"--steps", "2"}).code, 0);
  ASSERT_EQ(runs.train("large", {"--model", "lstm", "--hidden", "256", "--layers", "2", "--steps",
                                 "2", "--eval-every", "0"})
                .code,
            0);
  const auto samples_of = [&](const std::string& name) {
    return run_in(test::run_program({"report", runs.folder / name, "-o", "-"})).at("samples");
  };
  EXPECT_FALSE(samples_of("small").contains("states"));
  const Json states = samples_of("large").at("states");
  ASSERT_EQ(states.size(), 2u);
  for (const char* layer : {"lstm l0", "lstm l1"}) {
    const auto shape = states.at(layer).at("shape").get<std::vector<std::size_t>>();
    ASSERT_EQ(shape.size(), 3u);
    EXPECT_EQ(shape[1], 28u);
    EXPECT_EQ(shape[2], 256u);
    EXPECT_EQ(states.at(layer).at("data").get<std::string>().size(),
              (shape[0] * 28 * 256 * 4 + 2) / 3 * 4);
  }
}

}  // namespace
}  // namespace unroll
