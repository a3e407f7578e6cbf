// Reports of real runs: what the page says is what the run's files say, read here by other means.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/sha256.h"
#include "support/expect_parts.h"
#include "support/file_faults.h"
#include "support/report_data.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using test::expect_parts;
using test::SmallRun;
using Texts = std::vector<std::string>;

const std::string kRunsOf010 = UNROLL_SOURCE_DIR "/tests/slow/made_by_0.1.0/";

/// The data of the page of these runs, from stdout.
Json report_of(const Texts& runs) {
  Texts arguments = {"report", "-o", "-"};
  arguments.insert(arguments.end(), runs.begin(), runs.end());
  const auto result = test::run_program(arguments);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return test::data_of_page(result.out);
}

Json run_of(const std::string& path) { return report_of({path}).at("runs").at(0); }

std::vector<Json> lines_with(const std::string& folder, const std::string& event) {
  std::vector<Json> lines;
  for (const std::string& line : test::lines_of(test::content_of(folder + "/metrics.jsonl")))
    if (Json json = Json::parse(line); json.at("event") == event) lines.push_back(std::move(json));
  return lines;
}

std::string hash_of_file(const std::string& path) {
  const std::string content = test::content_of(path);
  return data::sha256(std::as_bytes(std::span(content)));
}

const Texts few_steps = {"--steps", "40", "--eval-every", "10", "--batch-size", "20"};

Texts with(Texts flags, const Texts& more) {
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

TEST(Report, SaysWhatTheFilesOfTheRunSay) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("a", few_steps).code, 0);
  const std::string folder = runs.folder / "a";
  const Json run = run_of(folder);
  EXPECT_EQ(run.at("name"), "a");
  EXPECT_EQ(run.at("folder"), folder);
  EXPECT_EQ(run.at("status"), "finished");
  EXPECT_EQ(run.at("step"), 40);
  EXPECT_EQ(run.at("steps"), 40);
  EXPECT_FALSE(run.contains("reason"));
  EXPECT_EQ(run.at("config"), Json::parse(test::content_of(folder + "/config.json")));
  EXPECT_EQ(run.at("config_text"), test::content_of(folder + "/config.json"));
  EXPECT_EQ(run.at("weights_sha256"), hash_of_file(folder + "/model.safetensors"));

  const auto steps = lines_with(folder, "step");
  ASSERT_EQ(run.at("curves").at("step").size(), steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i)
    for (const char* key : {"step", "loss", "lr", "grad_norm"}) {
      const double there = steps[i].at(key), here = run.at("curves").at(key).at(i);
      EXPECT_NEAR(here, there, 1e-5 * std::abs(there)) << key << " " << i;
    }
  const auto tests = lines_with(folder, "eval");
  ASSERT_EQ(run.at("evaluations").size(), 4u);
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const Json& one = run.at("evaluations").at(i);
    EXPECT_EQ(one.at("step"), tests[i].at("step"));
    EXPECT_EQ(one.at("loss"), tests[i].at("loss"));
    EXPECT_EQ(one.at("metrics"), (Json{{"accuracy", tests[i].at("accuracy")}}));
    EXPECT_EQ(one.at("inside"), tests[i].at("inside"));
  }
  const Json& result = run.at("result");
  EXPECT_EQ(result.at("loss_name"), "cross-entropy");
  EXPECT_EQ(result.at("loss"), tests.back().at("loss"));
  EXPECT_EQ(result.at("metrics").at(0), (Json{{"name", "accuracy"},
                                              {"key", "accuracy"},
                                              {"value", tests.back().at("accuracy")},
                                              {"unit", "%"},
                                              {"larger_is_better", true},
                                              {"correct", tests.back().at("correct")},
                                              {"total", 100}}));

  // As inspect and eval say it.
  const auto shown = test::run_program({"inspect", folder, "--json"});
  const Json inspected = Json::parse(shown.out);
  EXPECT_EQ(run.at("parameters"), inspected.at("tensors"));
  EXPECT_EQ(run.at("parameter_count"), inspected.at("count"));
  EXPECT_EQ(run.at("network").at("description"), inspected.at("description"));
  EXPECT_EQ(run.at("network").at("weights").size(), inspected.at("tensors").size());
  const auto tested = test::run_program({"eval", folder, "--json", "--data-dir", runs.data_dir});
  EXPECT_EQ(run.at("confusion"), Json::parse(tested.out).at("confusion"));

  EXPECT_EQ(run.at("task"), "classes");
  EXPECT_EQ(run.at("input"),
            (Json{{"kind", "image"}, {"height", 28}, {"width", 28}, {"form", "rows"}}));
  EXPECT_EQ(run.at("classes").size(), 10u);
  const Json& samples = run.at("samples");
  EXPECT_GT(samples.at("count"), 20);
  EXPECT_EQ(samples.at("type"), "u8");
  EXPECT_EQ(samples.at("shape"), Json::parse("[28, 28]"));
  EXPECT_EQ(samples.at("inputs").get<std::string>().size(),
            (samples.at("count").get<std::size_t>() * 28 * 28 + 2) / 3 * 4);
}

// What the page tells people to type.
TEST(Report, ItsCommandsWork) {
  const SmallRun runs;
  for (const auto& [name, result] :
       {std::pair("images", runs.train("images", few_steps)),
        std::pair("copy", test::run_program({"train", "copy", "--length", "5", "--hidden", "4",
                                             "--steps", "3", "--out", runs.folder / "copy"}))}) {
    ASSERT_EQ(result.code, 0) << result.err;
    const Json commands = run_of(runs.folder / name).at("commands");
    EXPECT_GE(commands.size(), 8u);
    for (const Json& one : commands) {
      const std::string command = one.at("command");
      ASSERT_EQ(command.rfind("unroll ", 0), 0u) << command;
      const auto run = test::run_program(
          {}, {.environment = {{"UNROLL_DATA_DIR", runs.data_dir}},
               .script = fmt::format("unroll() {{ \"$0\" \"$@\"; }}\n{}", command)});
      EXPECT_EQ(run.code, 0) << one.at("purpose") << ": " << command << "\n" << run.out << run.err;
    }
  }
}

struct KindOfRun {
  const char* name;
  Texts arguments;  // after train, without --out
  const char* task;
  const char* kind;  // of the input
  std::size_t metrics;
};

const KindOfRun kinds_of_run[] = {
    {"Logistic", {"mnist", "--model", "logistic"}, "classes", "image", 1},
    {"Linear",
     {"mnist", "--model", "linear", "--recipe", "tutorial", "--lr", "0.001"},
     "classes",
     "image",
     1},
    {"Fnn", {"mnist", "--model", "fnn", "--hidden", "8"}, "classes", "image", 1},
    {"Cnn", {"mnist", "--model", "cnn", "--hidden", "2"}, "classes", "image", 1},
    {"Rnn", {"mnist", "--model", "rnn", "--hidden", "8"}, "classes", "image", 1},
    {"Lstm", {"mnist", "--model", "lstm", "--hidden", "8", "--layers", "2"}, "classes", "image", 1},
    {"Gru", {"mnist", "--model", "gru", "--hidden", "8", "--bidirectional"}, "classes", "image", 1},
    {"Permuted", {"mnist", "--hidden", "2", "--permute", "3", "--pixels"}, "classes", "image", 1},
    {"Adding", {"adding", "--length", "9", "--hidden", "8"}, "values", "sequence", 1},
    {"Copy", {"copy", "--length", "3", "--hidden", "8"}, "step_classes", "sequence", 1},
};

class ReportOfKind : public testing::TestWithParam<KindOfRun> {};

TEST_P(ReportOfKind, IsWhole) {
  const SmallRun runs;
  const KindOfRun& kind = GetParam();
  const std::string folder = runs.folder / "run";
  const auto trained = test::run_program(
      with(with({"train"}, kind.arguments), {"--steps", "6", "--eval-every", "3", "--batch-size",
                                             "10", "--data-dir", runs.data_dir, "--out", folder}));
  ASSERT_EQ(trained.code, 0) << trained.err;
  const Json run = run_of(folder);
  EXPECT_EQ(run.at("status"), "finished");
  EXPECT_EQ(run.at("task"), kind.task);
  EXPECT_EQ(run.at("input").at("kind"), kind.kind);
  EXPECT_EQ(run.at("result").at("metrics").size(), kind.metrics);
  EXPECT_EQ(run.at("result").at("loss_name"),
            test::run_program({"eval", folder, "--data-dir", runs.data_dir})
                            .out.find("mean squared error") != std::string::npos ||
                    std::string(kind.name) == "Linear"
                ? "mean squared error"
                : "cross-entropy");
  EXPECT_EQ(run.at("curves").at("step").size(), 6u);
  EXPECT_EQ(run.at("evaluations").size(), 2u);
  EXPECT_TRUE(run.contains("network"));
  EXPECT_TRUE(run.contains("samples"));
  EXPECT_EQ(run.contains("confusion"), std::string(kind.task) == "classes");
  EXPECT_FALSE(run.at("layers").empty());
}

INSTANTIATE_TEST_SUITE_P(Run, ReportOfKind, testing::ValuesIn(kinds_of_run),
                         [](const auto& test) { return test.param.name; });

// Runs of before there were samples and looks inside.
TEST(Report, OfRunsMadeByAnOlderProgram) {
  for (const char* name : {"rnn", "lstm", "gru", "fnn", "cnn", "logistic", "linear", "permuted",
                           "adding", "copy", "interrupted-mnist", "interrupted-adding"}) {
    const std::string folder = kRunsOf010 + name;
    const Json run = run_of(folder);
    EXPECT_FALSE(run.contains("samples")) << name;
    EXPECT_EQ(run.at("curves").at("step").size(), lines_with(folder, "step").size()) << name;
    EXPECT_EQ(run.at("curves").at("lr").at(0), nullptr) << name;
    EXPECT_EQ(run.at("evaluations").size(), lines_with(folder, "eval").size()) << name;
    EXPECT_TRUE(run.contains("network")) << name;
    EXPECT_EQ(run.at("weights_sha256"), hash_of_file(folder + "/model.safetensors")) << name;
  }
  const Json stopped = run_of(kRunsOf010 + "interrupted-mnist");
  EXPECT_EQ(stopped.at("status"), "interrupted");
  EXPECT_EQ(stopped.at("step"), 121);
  EXPECT_EQ(stopped.at("steps"), 400);
  expect_parts(stopped.at("reason"),
               {"interrupted after step 121 of 400", "unroll train --resume "});
}

TEST(Report, OfARunThatDivergedSaysWhy) {
  const Json old = run_of(kRunsOf010 + "diverged");
  EXPECT_EQ(old.at("status"), "diverged");
  expect_parts(old.at("reason"), {"stopped at step 11: loss 5.67481e+29", "Remedy: "});
  EXPECT_EQ(old.at("result").at("loss"), 0.18759558105468749);
  EXPECT_EQ(old.at("evaluations").back().at("step"), 11);
  EXPECT_FALSE(old.at("evaluations").back().contains("inside"));

  const SmallRun runs;
  const auto result = runs.train("run", {"--recipe", "tutorial", "--lr", "0.3", "--hidden", "20",
                                         "--steps", "1000", "--report"});
  ASSERT_EQ(result.code, 1) << result.out;
  const Json run = test::data_of_page(test::content_of(runs.folder / "run.html")).at("runs").at(0);
  expect_parts(result.err, {"the report is in " + runs.folder / "run.html"});
  const Json line = lines_with(runs.folder / "run", "diverged").at(0);
  EXPECT_EQ(run.at("step"), line.at("kept").at("step"));
  EXPECT_EQ(run.at("result").at("metrics").at(0).at("value"), line.at("kept").at("accuracy"));
  // The program's message, to the end of its line.
  const std::string reason = run.at("reason");
  EXPECT_NE(result.err.find("unroll: [train] " + reason + "\n"), std::string::npos)
      << reason << "\n"
      << result.err;
  EXPECT_FALSE(run.at("findings").empty());
  // The test of the weights that were kept, then the step that failed.
  const Json &tests = run.at("evaluations"), &kept = tests.at(tests.size() - 2);
  EXPECT_EQ(kept.at("step"), line.at("kept").at("step"));
  EXPECT_EQ(kept.at("metrics").at("accuracy"), line.at("kept").at("accuracy"));
  EXPECT_EQ(tests.back().at("diverged"), true);
  EXPECT_EQ(tests.back().at("step"), line.at("step"));
  EXPECT_EQ(tests.back().at("inside"), line.at("inside"));
  EXPECT_EQ(run.at("curves").at("step").back(), line.at("step"));
}

// A copy of the folder in the middle of a training, or after a kill.
TEST(Report, OfARunThatStillTrains) {
  const SmallRun runs;
  const std::string folder = runs.folder / "run";
  test::Program program(runs.train_arguments("run", {"--steps", "1000000", "--eval-every", "20"}));
  program.wait_for_output("Iteration: 20,");
  const Json run = run_of(folder);
  program.send_signal(SIGKILL);
  program.finish();
  EXPECT_EQ(run.at("status"), "training");
  EXPECT_EQ(run.at("steps"), 1000000);
  EXPECT_GE(run.at("step"), 20);
  EXPECT_GE(run.at("evaluations").size(), 1u);
  expect_parts(run.at("reason"), {"still trains, or was killed", "--resume"});
  EXPECT_FALSE(run.contains("network"));
  EXPECT_EQ(run_of(folder).at("status"), "training");
  // Killed before its first step.
  std::filesystem::remove(folder + "/manifest.json");
  std::filesystem::remove(folder + "/metrics.jsonl");
  EXPECT_EQ(run_of(folder).at("step"), 0);
}

TEST(Report, HasASmallFile) {
  const SmallRun runs;
  // The tutorial's model, and a network of two layers of the same width. Both have 10 classes.
  for (const auto& [model, layers] : {std::pair("rnn", "1"), {"lstm", "2"}}) {
    const auto result = runs.train(model, {"--model", model, "--layers", layers, "--hidden", "100",
                                           "--steps", "200", "--eval-every", "20", "--report"});
    ASSERT_EQ(result.code, 0) << result.err;
    EXPECT_LT(std::filesystem::file_size(runs.folder / (std::string(model) + ".html")), 2'000'000u);
  }
}

TEST(Report, ALargeNetworkIsLeftOut) {
  const test::TemporaryFolder folder;
  const auto result =
      test::run_program({"train", "adding", "--length", "4", "--model", "lstm", "--hidden", "300",
                         "--batch-size", "2", "--steps", "1", "--out", folder / "run"});
  ASSERT_EQ(result.code, 0) << result.err;
  const Json run = run_of(folder / "run");
  EXPECT_FALSE(run.contains("network"));
  expect_parts(run.at("network_note"), {"365101 weights", "unroll export --format js"});
}

TEST(Report, OfSeveralRunsComparesThem) {
  const SmallRun runs;
  for (const char* seed : {"0", "1", "2"})
    ASSERT_EQ(runs.train(std::string("a") + seed, with(few_steps, {"--seed", seed})).code, 0);
  ASSERT_EQ(runs.train("b", with(few_steps, {"--hidden", "5"})).code, 0);
  Texts folders;
  for (const char* name : {"a0", "a1", "b", "a2"}) folders.push_back(runs.folder / name);
  const Json data = report_of(folders);
  ASSERT_EQ(data.at("runs").size(), 4u);
  EXPECT_EQ(data.at("differences").at("keys"), Json::parse(R"(["hidden", "seed"])"));
  EXPECT_EQ(data.at("differences").at("rows").at(2), Json::parse(R"(["5", "0"])"));
  ASSERT_EQ(data.at("groups").size(), 2u);
  EXPECT_EQ(data.at("groups").at(0).at("runs"), Json::parse("[0, 1, 3]"));
  double sum = 0;
  for (const char* name : {"a0", "a1", "a2"})
    sum += lines_with(runs.folder / name, "eval").back().at("accuracy").get<double>();
  EXPECT_NEAR(data.at("groups").at(0).at("metrics").at(0).at("mean").get<double>(), sum / 3, 1e-12);
  for (const Json& run : data.at("runs")) {
    EXPECT_FALSE(run.contains("network"));
    EXPECT_FALSE(run.contains("samples"));
    EXPECT_EQ(run.at("curves").at("step").size(), 40u);
  }
}

TEST(Report, WhereItIsWritten) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("a", few_steps).code, 0);
  ASSERT_EQ(runs.train("b", few_steps).code, 0);
  const std::string a = runs.folder / "a", b = runs.folder / "b";
  const auto files = test::files_in(a);
  const auto expect_written = [&](const Texts& arguments, const std::string& path) {
    const auto result = test::run_program(with({"report"}, arguments));
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(result.out, fmt::format("{}: {} bytes\n", path, std::filesystem::file_size(path)));
  };
  expect_written({a}, a + ".html");
  expect_written({a + "/"}, a + ".html");  // again, over the report
  expect_written({a, "-o", runs.folder / "other.html"}, runs.folder / "other.html");
  expect_written({a, b, "-o", runs.folder / "both.html"}, runs.folder / "both.html");
  expect_written({a, b, a + ".html", "-o", runs.folder / "both.html"}, runs.folder / "both.html");
  EXPECT_EQ(test::files_in(a), files);
  const auto here = test::run_program({a}, {.script = "cd \"$1\" && \"$0\" report . && cd .. && "
                                                      "\"$0\" report a b && ls report.html"});
  EXPECT_EQ(here.code, 0) << here.err;
  EXPECT_EQ(test::files_in(a), files);

  const auto expect_refused = [&](const Texts& arguments, const Texts& parts, int code) {
    const auto result = test::run_program(with({"report"}, arguments));
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_EQ(test::lines_of(result.err).size(), 1u) << result.err;
    expect_parts(result.err, parts);
  };
  runs.folder.write("b.html", "mine");
  expect_refused({b}, {"b.html is there, and is no report", "-o"}, 2);
  EXPECT_EQ(test::content_of(b + ".html"), "mine");
  expect_refused({a, "-o", a + "/model.safetensors"}, {"would damage the run"}, 2);
  expect_refused({a, a}, {"named twice"}, 2);
  expect_refused({a + ".html", a + ".html"}, {"these are reports"}, 2);
  expect_refused({a + ".html"}, {"expected a folder"}, 1);
  expect_refused({a, "-o", runs.folder / "none/x.html"}, {"none/x.html"}, 1);
  expect_refused({runs.folder / "none"}, {"can't open the folder", "none"}, 1);
  expect_refused({runs.folder.path()}, {"has no run", "runs/NAME"}, 1);
  expect_refused({a + "/model.safetensors"}, {"expected a folder"}, 1);
}

TEST(Report, AtTheEndOfATraining) {
  const SmallRun runs;
  auto result = runs.train("a", with(few_steps, {"--report"}));
  EXPECT_EQ(result.code, 0);
  expect_parts(result.err, {"the report is in " + runs.folder / "a.html"});
  result = runs.train("quiet", with(few_steps, {"--report", "--quiet"}));
  EXPECT_EQ(result.err.find("report"), std::string::npos) << result.err;
  EXPECT_TRUE(std::filesystem::exists(runs.folder / "quiet.html"));
  result = runs.train("json", with(few_steps, {"--report", "--json"}));
  EXPECT_EQ(result.err.find("report"), std::string::npos) << result.err;
  EXPECT_EQ(Json::parse(test::lines_of(result.out).back()),
            (Json{{"event", "report"},
                  {"file", runs.folder / "json.html"},
                  {"bytes", std::filesystem::file_size(runs.folder / "json.html")}}));
  // The same page as that of the command, but for the name.
  EXPECT_EQ(test::content_of(runs.folder / "a.html"),
            test::run_program({"report", runs.folder / "a", "-o", "-"}).out);
  // The run is whole where the report can't be written.
  ASSERT_EQ(runs.train("b", few_steps).code, 0);
  runs.folder.write("b.html", "mine");
  result = test::run_program({"train", "--resume", runs.folder / "b", "--report"});
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"b.html is there, and is no report", "the run is whole",
                            "unroll report " + runs.folder / "b"});
  EXPECT_EQ(test::content_of(runs.folder / "b.html"), "mine");
  EXPECT_EQ(runs.model("a"), runs.model("b"));
  std::filesystem::remove(runs.folder / "b.html");
  result = test::run_program({"train", "--resume", runs.folder / "b", "--report"});
  EXPECT_EQ(result.code, 0);
  EXPECT_TRUE(std::filesystem::exists(runs.folder / "b.html"));
}

TEST(Report, AHostileNameStaysText) {
  const SmallRun runs;
  const std::string name = "<img src=x onerror=alert(1)>&\"'";
  const std::string set = test::write_small_set(runs.folder, "<script>alert(2)");
  ASSERT_EQ(
      test::run_program(with({"train", set, "--out", runs.folder / name, "--report"}, few_steps))
          .code,
      0);
  const std::string html = test::content_of(runs.folder / (name + ".html"));
  EXPECT_EQ(html.find("<img src=x"), html.npos);
  EXPECT_EQ(html.find("<script>alert"), html.npos);
  const Json run = test::data_of_page(html).at("runs").at(0);
  EXPECT_EQ(run.at("name"), name);
  EXPECT_EQ(run.at("dataset"), "<script>alert(2)");
}

}  // namespace
}  // namespace unroll
