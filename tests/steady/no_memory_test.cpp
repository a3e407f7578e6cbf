// Any allocation may fail: std::bad_alloc reaches the caller, the process does not end, and what
// was to be done works the next time.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "steady/allocations.h"
#include "support/child_process.h"
#include "unroll/autograd/ops.h"
#include "unroll/infer/model.h"
#include "unroll/infer/stream.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/lstm.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/muon.h"

namespace unroll {
namespace {

struct Net : nn::Module {
  nn::Lstm rnn;
  nn::Linear fc;
  Net()
      : rnn(child("rnn"), 7, 24,
            {.num_layers = 2, .batch_first = true, .dropout = 0.1, .bidirectional = true}),
        fc(child("fc"), 48, 5) {}
  Tensor forward(const Tensor& x) { return fc(rnn(x).output.select(1, -1)); }
};

template <class Optimizer>
void train() {
  Net net;
  Optimizer optimizer(net.parameters());
  const Tensor x = Tensor::full({40, 12, 7}, 0.3), y = Tensor::zeros({40}, DType::i64);
  for (int i = 0; i < 2; ++i) {
    optimizer.zero_grad();
    nn::cross_entropy(net.forward(x), y).backward();
    optimizer.step();
  }
}

/// A graph that nobody differentiates.
void leave_a_graph() {
  Tensor x = Tensor::full({8, 8}, 0.5);
  x.set_requires_grad(true);
  Tensor y = x;
  for (int i = 0; i < 20; ++i) y = tanh(matmul(y, x) + y * 0.5);
}

void convolve() {
  nn::Conv2d conv(1, 4, {3, 3});
  sum(relu(conv(Tensor::full({3, 1, 8, 8}, 0.2)))).backward();
}

void run_a_model() {
  spec::ModelSpec spec;
  spec.input = spec::SeriesInput{.features = 5};
  spec.layers = {spec::RecurrentSpec{
                     .name = "rnn", .cell = spec::Cell::gru, .input_size = 5, .hidden_size = 9},
                 spec::LinearSpec{"fc", 9, 3}};
  const std::vector<float> zeros(1000);
  std::vector<io::ArrayView> weights;
  for (const auto& [name, sizes] : spec::weights_of(spec)) {
    std::size_t count = 1;
    for (const std::int64_t size : sizes) count *= static_cast<std::size_t>(size);
    weights.push_back(
        {name, io::ElementType::f32, sizes, std::as_bytes(std::span(zeros).first(count))});
  }
  const infer::Model<float> model(spec, weights);
  std::vector<float> out(7 * 3);
  const std::size_t lengths[] = {1, 2, 3, 4, 5, 6, 7};
  model.run(std::span(zeros).first(7 * 7 * 5), 7, 7, std::span<float>(out), lengths);
  auto stream = model.stream(2);
  stream.step(std::span(zeros).first(10), std::span(out).first(6));
}

enum Result { kRefused, kNotAsked, kBroken };

/// `work` with one allocation that fails, and again with all of them.
Result attempt(const std::function<void()>& work, long failing) {
  Result result = kNotAsked;
  test::fail_allocation(failing);
  try {
    work();
  } catch (const std::exception&) {
    result = kRefused;
  }
  test::fail_allocation(-1);
  try {
    work();
  } catch (...) {
    result = kBroken;
  }
  return result;
}

/// attempt() in a process that has just begun, where everything is made for the first time.
int status_of(const std::function<void()>& work, long failing) {
  const pid_t child = fork();
  if (child == 0) _exit(attempt(work, failing));
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// How often `work` calls operator new in a process that has just begun.
long allocations_of(const std::function<void()>& work) {
  test::ChildProcess child([&] {
    test::start_watching();
    work();
    return test::stop_watching();
  });
  const std::string seen = child.wait(), name = "operator new ";
  const std::size_t at = seen.find(name);
  return at == std::string::npos ? 0 : std::stol(seen.substr(at + name.size()));
}

void every_allocation_may_fail(const char* name, const std::function<void()>& work) {
  const long count = allocations_of(work);
  long refused = 0;
  for (long k = 0; k < count; ++k) {
    const int status = status_of(work, k);
    refused += status == kRefused;
    // The pool of threads goes on without what it does not get.
    ASSERT_TRUE(status == kRefused || status == kNotAsked)
        << name << ", allocation " << k << " of " << count << ": status " << status;
  }
  EXPECT_GT(refused, 20) << name << ": " << count << " allocations";
}

// In a process of its own, which has no threads when it forks.
TEST(Trial21, AnyAllocationMayFail) {
  constexpr const char* kInside = "UNROLL_TEST_NO_MEMORY";
  if (!std::getenv(kInside)) {
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    const std::string command = std::string(kInside) + "=1 exec '" + self +
                                "' --gtest_filter=Trial21.AnyAllocationMayFail --gtest_brief=1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return;
  }
  every_allocation_may_fail("adam", train<optim::Adam>);
  every_allocation_may_fail("muon", train<optim::Muon>);
  every_allocation_may_fail("a graph", leave_a_graph);
  every_allocation_may_fail("conv2d", convolve);
  every_allocation_may_fail("infer", run_a_model);
}

}  // namespace
}  // namespace unroll
