// Models that PyTorch trained, tested by `unroll eval`: the same predictions and logits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/golden_compare.h"
#include "support/program.h"
#include "support/real_mnist.h"
#include "unroll/io/npy.h"
#include "unroll/io/safetensors.h"

namespace unroll {
namespace {

struct ReferenceModel {
  const char* weights;
  const char* activation;
  const char* run;  // the reference case whose final parameters these are
  int correct;
};

class ReferenceModels : public testing::TestWithParam<ReferenceModel> {};

std::size_t best_of(const double* logits) {
  return static_cast<std::size_t>(std::max_element(logits, logits + 10) - logits);
}

TEST_P(ReferenceModels, PredictAsInPyTorch) {
  const ReferenceModel& m = GetParam();
  const char* named = std::getenv("UNROLL_REFERENCE_DIR");
  const std::string reference =
      std::string(named ? named : UNROLL_SOURCE_DIR "/../shared/reference") + "/tutorial/";
  const auto data = test::real_mnist_folder();
  if (!data) GTEST_SKIP() << "MNIST is not here";
  if (!std::filesystem::exists(reference + m.weights)) GTEST_SKIP() << m.weights << " is not here";

  const test::TemporaryFolder folder;
  const auto result = test::run_program({"eval", std::filesystem::absolute(reference + m.weights),
                                         "mnist", "--activation", m.activation, "--data-dir", *data,
                                         "--json", "--logits", folder / "logits.npy"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto line = nlohmann::json::parse(result.out);
  EXPECT_EQ(line.at("correct"), m.correct);
  EXPECT_EQ(line.at("total"), 10000);
  EXPECT_EQ(line.at("accuracy"), m.correct / 100.0);

  const io::NpyArray logits = io::read_npy(folder / "logits.npy");
  ASSERT_EQ(logits.shape, (std::vector<std::int64_t>{10000, 10}));
  const std::vector<double> got = test::values_of(logits.view());
  const auto run = io::Safetensors::read(reference + m.run);
  const std::vector<double> expected = test::values_of(*run.find("test_logits_first_100"));
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-4) << i;
  const std::vector<double> predictions = test::values_of(*run.find("test_prediction"));
  ASSERT_EQ(predictions.size(), 10000u);
  for (std::size_t i = 0; i < predictions.size(); ++i)
    ASSERT_EQ(best_of(got.data() + 10 * i), predictions[i]) << "image " << i;
}

INSTANTIATE_TEST_SUITE_P(
    Eval, ReferenceModels,
    testing::Values(ReferenceModel{"weights_model_a_seed0.safetensors", "relu",
                                   "model_a_clip1_f32_seed0.safetensors", 9373},
                    ReferenceModel{"weights_model_b_seed0.safetensors", "relu",
                                   "model_b_clip1_f32_seed0.safetensors", 7316},
                    ReferenceModel{"weights_model_c_seed0.safetensors", "tanh",
                                   "model_c_f32_seed0.safetensors", 9585}),
    [](const auto& model) { return std::string("Model") + "ABC"[model.index]; });

}  // namespace
}  // namespace unroll
