// unroll train adding|copy: that it learns, what it prints and leaves, and that it can be repeated.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/patterns.h"
#include "support/program.h"
#include "support/temporary_folder.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using Arguments = std::vector<std::string>;
using test::content_of;
using test::run_program;

struct TaskRun {
  test::TemporaryFolder folder;

  test::ProgramResult train(const std::string& out, Arguments arguments) const {
    arguments.insert(arguments.begin(), "train");
    arguments.insert(arguments.end(), {"--out", folder / out});
    return run_program(arguments);
  }
  std::string file(const std::string& name) const { return content_of(folder / name); }
  Json eval(const std::string& run) const {
    return Json::parse(run_program({"eval", folder / run, "--json"}).out);
  }
};

// Whoever answers 1 has an error of 1/6: under 0.01 both marks are understood, and the numbers kept
// for up to 99 steps.
TEST(Tasks, AddingOverAHundredStepsIsLearnt) {
  const TaskRun runs;
  const auto result = runs.train(
      "run", {"adding", "--length", "100", "--steps", "500", "--hidden", "32", "--quiet"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_LT(runs.eval("run").at("loss").get<double>(), 0.01);
}

TEST(Tasks, CopyIsLearntByAStateWithoutGates) {
  const TaskRun runs;
  const auto result = runs.train("run", {"copy", "--length", "10", "--steps", "700", "--quiet"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_GT(runs.eval("run").at("accuracy").get<double>(), 90);  // by guessing 12.5
}

// What predict prints of every test sequence adds up to what eval says.
TEST(Tasks, PredictAgreesWithEval) {
  const TaskRun runs;
  const auto predicted = [&](const std::string& task) {
    EXPECT_EQ(runs.train(task, {task, "--length", "10", "--steps", "30", "--quiet"}).code, 0);
    const auto result = run_program({"predict", runs.folder / task, task, "--json"});
    EXPECT_EQ(result.code, 0) << result.err;
    std::vector<Json> events;
    for (const std::string& line : test::lines_of(result.out)) events.push_back(Json::parse(line));
    EXPECT_EQ(events.size(), 1000u);
    EXPECT_EQ(events.back().at("sequence"), 999);
    return events;
  };
  double squares = 0;
  for (const Json& event : predicted("adding")) {
    const double error =
        event.at("values").at(0).get<double>() - event.at("targets").at(0).get<double>();
    squares += error * error;
  }
  EXPECT_NEAR(squares / 1000, runs.eval("adding").at("loss").get<double>(), 1e-6);
  std::int64_t correct = 0;
  for (const Json& event : predicted("copy"))
    for (std::size_t i = 0; i < 10; ++i)
      correct += event.at("classes").at(i) == event.at("targets").at(i);
  EXPECT_EQ(correct, runs.eval("copy").at("correct"));

  const auto steps =
      run_program({"predict", runs.folder / "adding", "adding", "--index", "3", "--rows"});
  EXPECT_EQ(test::lines_of(steps.out).size(), 10u) << steps.err;
}

TEST(Tasks, OutputHasTheTestsLossToo) {
  const TaskRun runs;
  for (const std::string task : {"adding", "copy"}) {
    const auto result =
        runs.train(task, {task, "--length", "12", "--steps", "20", "--eval-every", "10"});
    ASSERT_EQ(result.code, 0) << result.err;
    const auto lines = test::lines_of(result.out);
    ASSERT_EQ(lines.size(), 5u) << result.out;
    EXPECT_EQ(lines[0], task == "adding" ? "adding: made from random numbers, sequences of 12 "
                                           "steps of 2 numbers; 1000 are for testing"
                                         : "copy: made from random numbers, sequences of 32 steps "
                                           "of 10 numbers; 1000 are for testing");
    const std::string evaluated =
        R"(Iteration: [12]0, Loss: \d+\.\d{4}, Test loss: \d+\.\d{6}, Accuracy: \d+\.\d\d)";
    EXPECT_TRUE(test::matches(lines[1], evaluated)) << lines[1];
    EXPECT_TRUE(test::matches(lines[2], evaluated)) << lines[2];
    const std::string accuracy = R"(Test accuracy: \d+\.\d\d % \(\d+ of 10000? correct\))";
    EXPECT_TRUE(test::matches(lines[3], accuracy)) << lines[3];
    const std::string loss = task == "adding" ? R"(Test mean squared error: \d+\.\d{6})"
                                              : R"(Test cross-entropy: \d+\.\d{6})";
    EXPECT_TRUE(test::matches(lines[4], loss)) << lines[4];
    EXPECT_EQ(result.err.find("MNIST"), std::string::npos) << result.err;
    // eval finds what training found, in the last line of metrics.jsonl.
    const Json logged = Json::parse(test::lines_of(runs.file(task + "/metrics.jsonl")).back());
    const Json eval = runs.eval(task);
    for (const char* key : {"loss", "accuracy", "correct", "total", "dataset"})
      EXPECT_EQ(logged.at(key), eval.at(key)) << key;
    EXPECT_EQ(eval.at("total"), task == "adding" ? 1000 : 10000);
    EXPECT_NE(run_program({"inspect", runs.folder / task}).out.find("trained on: " + task),
              std::string::npos);
    // What it exports reads numbers, no pixels.
    const auto header = run_program(
        {"export", runs.folder / task, "--format", "cpp", "-o", runs.folder / task + ".h"});
    EXPECT_EQ(header.code, 0) << header.err;
    EXPECT_EQ(runs.file(task + ".h").find("pixel"), std::string::npos);
    const auto graph = run_program(
        {"export", runs.folder / task, "--format", "onnx", "-o", runs.folder / task + ".onnx"});
    EXPECT_NE(graph.out.find("numbers as they are"), std::string::npos) << graph.out << graph.err;
    EXPECT_NE(runs.file(task + ".onnx").find(R"("pixels":false)"), std::string::npos);
    const auto predict = run_program({"predict", runs.folder / task});
    EXPECT_EQ(predict.code, 2);
    EXPECT_NE(predict.err.find("unroll eval"), std::string::npos) << predict.err;
    const auto logits = run_program({"eval", runs.folder / task, "--logits", "x.npy"});
    EXPECT_EQ(logits.code, 2);
    EXPECT_NE(logits.err.find("--logits"), std::string::npos) << logits.err;
  }
}

TEST(Fault38, TasksHaveTheSameBitsAgainAndWithAnyNumberOfThreads) {
  for (const Arguments& how : {Arguments{"adding", "--model", "lstm"},
                               {"copy", "--model", "gru", "--tbptt", "7"},
                               {"copy", "--dtype", "f64", "--tbptt", "25"}}) {
    const TaskRun run;
    Arguments first = how;
    first.insert(first.end(), {"--length", "15", "--steps", "6", "--threads", "1", "--seed", "3"});
    ASSERT_EQ(run.train("first", first).code, 0);
    const std::string config = run.folder / "first/config.json";
    ASSERT_EQ(run.train("again", {"--config", config}).code, 0);
    ASSERT_EQ(run.train("threads", {"--config", config, "--threads", "3"}).code, 0);
    ASSERT_EQ(run.train("seed", {"--config", config, "--seed", "4"}).code, 0);
    EXPECT_EQ(run.file("first/config.json"), run.file("again/config.json"));
    for (const std::string name : {"/model.safetensors", "/metrics.jsonl"}) {
      EXPECT_EQ(run.file("first" + name), run.file("again" + name));
      EXPECT_EQ(run.file("first" + name), run.file("threads" + name));
      EXPECT_NE(run.file("first" + name), run.file("seed" + name));
    }
  }
}

}  // namespace
}  // namespace unroll
