// Every kind of model through the program: trained, tested, asked, shown, and repeated.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/idx.h"
#include "support/golden_compare.h"
#include "support/small_run.h"
#include "unroll/io/npy.h"
#include "unroll/io/safetensors.h"

namespace unroll {
namespace {

using Json = nlohmann::json;

struct Kind {
  const char* name;
  std::vector<std::string> flags;
  bool streams = false;  // can say something after every row
  const char* shown;     // by inspect
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class ModelKinds : public testing::TestWithParam<Kind> {
 protected:
  test::SmallRun runs;
  std::string images = runs.mnist + "/t10k-images-idx3-ubyte";

  std::vector<Json> events(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.emplace_back("--json");
    const auto result = test::run_program(arguments, {.input = input});
    EXPECT_EQ(result.code, 0) << result.err;
    std::vector<Json> all;
    for (const std::string& line : test::lines_of(result.out)) all.push_back(Json::parse(line));
    return all;
  }

  /// An image of the test set as numbers, a row a line.
  std::string rows_of(std::size_t index) const {
    const data::Idx idx = data::read_idx(images, data::Part::images);
    std::string text;
    for (std::size_t i = 0; i < 784; ++i)
      text += std::to_string(idx.values[index * 784 + i]) + (i % 28 == 27 ? "\n" : " ");
    return text;
  }
};

TEST_P(ModelKinds, FromTrainToPredict) {
  std::vector<std::string> flags = GetParam().flags;
  const auto has = [&](const char* flag) { return std::ranges::find(flags, flag) != flags.end(); };
  if (!has("--steps")) flags.insert(flags.end(), {"--steps", "30"});
  if (!has("--hidden") && !has("logistic") && !has("linear"))
    flags.insert(flags.end(), {"--hidden", "12"});
  const auto trained = runs.train("run", flags);
  ASSERT_EQ(trained.code, 0) << trained.err;
  const std::string folder = runs.folder / "run";

  // What training said last is what eval says.
  const Json last = Json::parse(test::lines_of(runs.metrics("run")).back());
  ASSERT_EQ(last.at("event"), "eval");
  const auto eval =
      events({"eval", folder, "--data-dir", runs.data_dir, "--logits", runs.folder / "logits.npy"});
  ASSERT_EQ(eval.size(), 1u);
  EXPECT_EQ(eval[0].at("correct"), last.at("correct"));
  EXPECT_GT(eval[0].at("loss"), 0);

  // predict agrees with the logits, from a file and from numbers.
  const std::vector<double> logits =
      test::values_of(io::read_npy(runs.folder / "logits.npy").view());
  ASSERT_EQ(logits.size(), 1000u);
  const auto from_file = events({"predict", folder, images, "--index", "7"});
  ASSERT_EQ(from_file.size(), 1u);
  EXPECT_EQ(from_file[0].at("class"), std::max_element(&logits[70], &logits[80]) - &logits[70]);
  const bool pixels = has("--pixels");
  std::string numbers = rows_of(7);
  if (pixels) std::ranges::replace(numbers, ' ', '\n');
  const auto typed = events({"predict", folder}, numbers);
  ASSERT_EQ(typed.size(), 1u);
  for (const char* values : {"class", "probabilities", "scores"})
    EXPECT_EQ(typed[0].value(values, Json()), from_file[0].value(values, Json())) << values;

  const auto rows = test::run_program({"predict", folder, images, "--index", "7", "--rows"});
  EXPECT_EQ(rows.code, GetParam().streams ? 0 : 2) << rows.err;
  if (GetParam().streams)
    EXPECT_EQ(test::lines_of(rows.out).size(), pixels ? 784u : 28u);
  else
    EXPECT_NE(rows.err.find("[stream] "), std::string::npos) << rows.err;

  const auto shown = test::run_program({"inspect", folder});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_NE(shown.out.find(GetParam().shown), std::string::npos) << shown.out;

  // The run again from its config.json: the same bytes.
  const auto again = runs.train("again", {"--config", folder + "/config.json"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(runs.model("again"), runs.model("run"));
}

const Kind kinds[] = {
    {"Logistic", {"--model", "logistic"}, false, "linear: linear, 784 to 10"},
    {"Linear", {"--model", "linear"}, false, "output: 10 scores"},
    {"Fnn",
     {"--model", "fnn", "--layers", "2", "--activation", "sigmoid", "--dropout", "0.1", "--permute",
      "3"},
     false,
     "fc2: linear, 12 to 12"},
    {"Cnn",
     {"--model", "cnn", "--hidden", "3"},
     false,
     "cnn2: convolution, 3 to 6 channels, kernel 5 x 5, stride 1 x 1, padding 2 x 2"},
    {"RnnOfPixels",
     {"--model", "rnn", "--pixels", "--steps", "4"},
     true,
     "1 inputs, 12 hidden units"},
    {"RnnBothWays",
     {"--model", "rnn", "--bidirectional", "--activation", "tanh", "--permute", "1"},
     false,
     "tanh, bidirectional"},
    {"Lstm",
     {"--model", "lstm", "--layers", "2", "--proj-size", "5", "--layer-norm", "--zoneout-h", "0.1",
      "--zoneout-c", "0.1", "--learn-initial-state", "--forget-bias", "1", "--readout", "mean"},
     true,
     "lstm, projected to 5, layer normalisation, zoneout 0.1 of h and 0.1 of c, learnt initial"},
    {"LstmBothWays",
     {"--model", "lstm", "--bidirectional", "--readout", "mean_last"},
     false,
     "the mean of the states, and the last state"},
    {"Gru", {"--model", "gru", "--dropout", "0.2"}, true, "12 hidden units, 1 layer, gru"},
    {"GruRegularised",
     {"--model", "gru", "--variational-dropout", "0.1", "--recurrent-dropout", "0.1",
      "--weight-drop", "0.2", "--ar", "2", "--tar", "1"},
     true,
     "12 hidden units, 1 layer, gru"},
    {"GruMax",
     {"--model", "gru", "--layers", "2", "--readout", "max", "--init", "orthogonal", "--dtype",
      "f64"},
     true,
     "the maximum of the states"},
};

INSTANTIATE_TEST_SUITE_P(Program, ModelKinds, testing::ValuesIn(kinds),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace unroll
