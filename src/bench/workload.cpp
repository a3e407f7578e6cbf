#include "bench/workload.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/bf16.h"
#include "unroll/spec/model_spec.h"

namespace unroll::bench {

namespace {

std::vector<Workload> all_that_run_here() {
  using train::Algorithm;
  std::vector<Workload> all = {
      {},
      {.activation = Nonlinearity::tanh},
      {.optimizer = Algorithm::muon},
      {.precision = Precision::bf16},
      {.layers = 2},
      {.steps = 64, .input = 256, .hidden = 256, .batch = 64},
      {.steps = 64, .input = 512, .hidden = 512, .batch = 64},
      {.steps = 64, .input = 1024, .hidden = 1024, .batch = 64, .on_one = false},
      {.steps = 784, .input = 1, .on_one = false},
      {.kind = Kind::eval, .batch = 10'000, .on_one = false},
      {.kind = Kind::step, .steps = 1, .batch = 1, .on_all = false},
      {.kind = Kind::step, .steps = 1, .hidden = 256, .batch = 1, .on_all = false},
  };
  if (!kernels::bf16_available())
    std::erase_if(all, [](const Workload& w) { return w.precision == Precision::bf16; });
  return all;
}

}  // namespace

const std::vector<Workload>& workloads() {
  static const std::vector<Workload> all = all_that_run_here();
  return all;
}

std::string name_of(const Workload& w) {
  std::string name = w.kind == Kind::train ? "train" : w.kind == Kind::eval ? "eval" : "step";
  name += fmt::format("/rnn_{}", spec::name_of(w.activation));
  if (w.layers > 1) name += fmt::format("_{}layers", w.layers);
  if (w.optimizer == train::Algorithm::muon) name += "_muon";
  if (w.precision == Precision::bf16) name += "_bf16";
  name += w.kind == Kind::step ? "/" : fmt::format("/t{}_", w.steps);
  name += fmt::format("i{}_h{}", w.input, w.hidden);
  if (w.kind == Kind::train) name += fmt::format("_n{}", w.batch);
  return name;
}

double useful_flops(const Workload& w) {
  // Products of one sequence: each forward one has two more in training, that with the gradient of
  // its weight and that with the gradient of its input.
  const double passes = w.kind == Kind::train ? 3 : 1;
  const auto i = static_cast<double>(w.input), h = static_cast<double>(w.hidden);
  double products = i * h * std::min(passes, 2.0) + h * h * passes;  // no gradient of the images
  products += static_cast<double>(w.layers - 1) * 2 * h * h * passes;
  return 2 * static_cast<double>(w.batch * w.steps) * products;
}

double weight_bytes(const Workload& w) {
  const auto h = static_cast<double>(w.hidden);
  double count = 0;
  for (std::int64_t l = 0; l < w.layers; ++l)
    count += h * ((l == 0 ? static_cast<double>(w.input) : h) + h + 1);
  return 4 * count;
}

double padding_ceiling(std::size_t columns, std::size_t lanes) {
  const std::size_t rest = columns % lanes;
  const std::size_t last = rest == 0 ? 0 : 2 * rest <= lanes ? lanes / 2 : lanes;
  return static_cast<double>(columns) / static_cast<double>(columns - rest + last);
}

}  // namespace unroll::bench
