// The chapter's run through the program, step by step beside PyTorch's.
//
// The run is chaotic, so only the first steps can be compared; how many, and how closely, is what
// the README of the reference cases says.
#include <fmt/format.h>

#include <cmath>

#include "data/order.h"
#include "golden/golden_case.h"
#include "support/program.h"
#include "support/real_mnist.h"
#include "support/specs.h"
#include "train/network.h"

namespace unroll::golden {
namespace {

/// Everything that the rules depend on.
struct Run {
  bool f64, clipped;
  std::string model;  // a: one layer, b: two, c: two of tanh
  int seed;

  int layers() const { return model == "a" ? 1 : 2; }

  /// Steps whose loss must agree, and how closely.
  std::size_t compared_losses() const {
    if (!f64) return 50;
    if (model == "c") return 100;
    return clipped ? 300 : model == "a" ? 200 : 100;
  }
  double loss_tolerance() const { return f64 ? 1e-9 : 1e-4; }

  /// Steps, none of them later, after which the change of the parameters must agree, and how
  /// closely.
  std::vector<std::pair<int, double>> compared_changes() const {
    if (!f64) return {{1, 2e-5}, {10, 2e-3}};
    std::vector<std::pair<int, double>> all = {{1, 1e-9}, {10, 1e-9}, {100, 1e-9}};
    if (clipped) all.emplace_back(300, 1e-9);
    return all;
  }
};

test::ProgramResult train(const Run& run, const std::string& data, const std::string& out) {
  std::vector<std::string> arguments = {"train", "mnist", "--recipe", "tutorial", "--rng", "torch"};
  const auto add = [&](const char* flag, const std::string& value) {
    arguments.insert(arguments.end(), {flag, value});
  };
  if (run.clipped) add("--clip-norm", "1");
  add("--dtype", run.f64 ? "f64" : "f32");
  add("--seed", fmt::to_string(run.seed));
  add("--layers", fmt::to_string(run.layers()));
  add("--activation", run.model == "c" ? "tanh" : "relu");
  add("--steps", fmt::to_string(run.compared_losses()));
  add("--save-at", "1,10,100,300");
  add("--data-dir", data);
  add("--out", out);
  return test::run_program(arguments);
}

/// The losses of metrics.jsonl beside the case's.
void expect_losses(const Run& run, const GoldenCase& c, const std::string& metrics) {
  std::vector<double> losses;
  for (const std::string& line : test::lines_of(metrics)) {
    const auto event = nlohmann::json::parse(line);
    if (event.at("event") == "step") losses.push_back(event.at("loss"));
  }
  const std::vector<double> expected = c.values("loss");
  ASSERT_GE(losses.size(), run.compared_losses());
  for (std::size_t i = 0; i < run.compared_losses(); ++i)
    ASSERT_LE(std::abs(losses[i] - expected[i]), run.loss_tolerance() * std::abs(expected[i]))
        << "loss " << losses[i] << " of step " << i + 1 << ", " << expected[i] << " expected";
}

/// ||d - d_ref|| / ||d_ref|| of all parameters together, d being their change since the beginning.
void expect_change(const GoldenCase& c, const std::string& file, int step, double tolerance) {
  const io::Safetensors got = io::Safetensors::read(file);
  const std::string prefix = fmt::format("after_{}.", step);
  double difference = 0, norm = 0;
  std::size_t tensors = 0;
  for (const io::ArrayView& expected : c.file.arrays()) {
    if (!expected.name.starts_with(prefix)) continue;
    const std::string name = expected.name.substr(prefix.size());
    const io::ArrayView* mine = got.find(name);
    ASSERT_TRUE(mine && mine->shape == expected.shape) << name << " of step " << step;
    const auto values = test::values_of(*mine), reference = test::values_of(expected),
               initial = c.values("initial." + name);
    for (std::size_t i = 0; i < values.size(); ++i) {
      difference += std::pow(values[i] - reference[i], 2);
      norm += std::pow(reference[i] - initial[i], 2);
    }
    ++tensors;
  }
  ASSERT_EQ(tensors, got.arrays().size()) << "of step " << step;
  EXPECT_LE(std::sqrt(difference / norm), tolerance) << "change of the parameters by step " << step;
}

/// Where the model starts, and the order of its first epoch (300 steps are half of it).
void expect_start(const Run& run, const GoldenCase& c) {
  Generator generator(static_cast<std::uint64_t>(run.seed), Rng::torch);
  train::Network model(test::rnn_spec(28, 100, 10, run.layers()), generator,
                       {.dtype = run.f64 ? DType::f64 : DType::f32});
  for (const Parameter& p : model.parameters())
    EXPECT_EQ(p.value.to_vector(), c.values("initial." + p.name)) << p.name;
  const auto order = data::shuffled_order(generator, 60000);
  EXPECT_EQ(std::vector<double>(order.begin(), order.end()), c.values("order.epoch0"));
}

}  // namespace

Outcome run_tutorial_case(const GoldenCase& c) {
  if (!c.has_only({"set", "model", "seed", "clip_norm", "steps", "correct_of_10000",
                   "first_non_finite_loss_at_step"}))
    return Outcome::not_supported;
  const nlohmann::json& d = c.description;
  const Run run{c.tensor("initial.fc.weight").type == io::ElementType::f64, d.at("clip_norm") == 1,
                d.at("model"), d.at("seed")};
  const bool known = run.model == "a" || run.model == "b" || run.model == "c";
  if (!known || (!run.clipped && d.at("clip_norm") != 0)) return Outcome::not_supported;
  expect_start(run, c);

  const auto data = test::real_mnist_folder();
  if (!data) return Outcome::lacks_data;
  const test::TemporaryFolder folder;
  const test::ProgramResult result = train(run, *data, folder / "run");
  EXPECT_EQ(result.code, 0) << result.err;
  if (result.code != 0) return Outcome::run;
  expect_losses(run, c, test::content_of(folder / "run/metrics.jsonl"));
  for (const auto& [step, tolerance] : run.compared_changes())
    expect_change(c, folder / fmt::format("run/step_{}.safetensors", step), step, tolerance);
  return Outcome::run;
}

}  // namespace unroll::golden
