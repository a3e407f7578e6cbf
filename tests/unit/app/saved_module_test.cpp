// What a C++ program saves in one call, in the program.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "support/program.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"
#include "unroll/io/npy.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/lstm.h"
#include "unroll/nn/rnn.h"
#include "unroll/nn/save.h"

namespace unroll {
namespace {

struct Net : nn::Module {
  nn::Lstm lstm;
  nn::Linear fc;
  Net() : lstm(child("lstm"), 5, 8, {.batch_first = true}), fc(child("fc"), 8, 3) {}
  Tensor forward(const Tensor& x) { return fc(lstm(x).output.select(1, -1)); }
};

TEST(Trial16, TheProgramPredictsWhatTheModuleDoes) {
  const test::TemporaryFolder folder;
  Net net;
  ASSERT_TRUE(save(net, folder / "m.safetensors").runnable);
  const Tensor x = test::random_tensor({4, 7, 5}, DType::f32, 1);
  io::write_npy(folder / "x.npy", {4, 7, 5}, x.values<float>());
  const test::ProgramResult result = test::run_program(
      {"predict", folder / "m.safetensors", folder / "x.npy", "--out", folder / "y.npy"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto y = io::read_npy(folder / "y.npy");
  ASSERT_EQ(y.shape, (std::vector<std::int64_t>{4, 3}));
  std::vector<float> got(12);
  std::memcpy(got.data(), y.data.data(), y.data.size());
  const auto expected = net.forward(x).to_vector();
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6) << i;
}

}  // namespace
}  // namespace unroll
