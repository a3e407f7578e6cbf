#include "bench/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "kernels/bf16.h"
#include "spec/cells.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::bench {
namespace {

using train::ModelKind;

std::string_view suffix_of(Regulariser regulariser) {
  switch (regulariser) {
    case Regulariser::dropout:
      return "_dropout";
    case Regulariser::variational:
      return "_variational";
    case Regulariser::recurrent_dropout:
      return "_recurrentdropout";
    case Regulariser::zoneout:
      return "_zoneout";
    case Regulariser::weight_drop:
      return "_weightdrop";
    case Regulariser::layer_norm:
      return "_layernorm";
    case Regulariser::activation:
      return "_activation";
    case Regulariser::none:
      break;
  }
  return "";
}

/// Adds the workloads of an LSTM or a GRU: the tutorial's sizes, larger sizes, each regulariser,
/// and two layers.
void add_gated(std::vector<Workload>& all, ModelKind cell) {
  all.push_back({.model = cell});
  all.push_back({.model = cell,
                 .steps = 64,
                 .input = 128,
                 .hidden = 256,
                 .batch = 64,
                 .on_one = false,
                 .by_default = false});
  all.push_back({.model = cell,
                 .steps = 64,
                 .input = 256,
                 .hidden = 512,
                 .batch = 64,
                 .on_one = false,
                 .by_default = cell == ModelKind::lstm});
  all.push_back({.model = cell,
                 .steps = 32,
                 .input = 1024,
                 .hidden = 1024,
                 .batch = 64,
                 .on_one = false,
                 .by_default = false});
  for (const Regulariser r :
       {Regulariser::variational, Regulariser::recurrent_dropout, Regulariser::zoneout,
        Regulariser::weight_drop, Regulariser::layer_norm, Regulariser::activation})
    all.push_back({.model = cell, .regulariser = r, .on_one = false, .by_default = false});
  for (const Regulariser r : {Regulariser::none, Regulariser::dropout})
    all.push_back(
        {.model = cell, .layers = 2, .regulariser = r, .on_one = false, .by_default = false});
}

/// Adds single steps: sizes of models that run once for each audio sample, and larger ones.
void add_streams(std::vector<Workload>& all, ModelKind cell) {
  const auto add = [&](std::int64_t input, std::int64_t hidden, bool by_default) {
    all.push_back({.kind = Kind::step,
                   .model = cell,
                   .steps = 1,
                   .input = input,
                   .hidden = hidden,
                   .batch = 1,
                   .on_all = false,
                   .by_default = by_default});
  };
  for (const std::int64_t hidden : {8, 16, 24, 40})
    add(1, hidden, cell == ModelKind::lstm && hidden == 16);
  add(28, 100, true);
  add(28, 256, cell == ModelKind::rnn);
}

std::vector<Workload> all_that_run_here() {
  using train::Algorithm;
  std::vector<Workload> all = {
      {},
      {.activation = Nonlinearity::tanh, .on_one = false},
      {.optimizer = Algorithm::muon, .on_one = false},
      {.precision = Precision::bf16, .on_one = false},
      {.layers = 2, .on_one = false},
      {.steps = 64, .input = 256, .hidden = 256, .batch = 64},
      {.steps = 64, .input = 512, .hidden = 512, .batch = 64, .on_one = false},
      {.steps = 64, .input = 1024, .hidden = 1024, .batch = 64, .on_one = false},
      {.steps = 784, .input = 1, .on_one = false},
  };
  add_gated(all, ModelKind::lstm);
  add_gated(all, ModelKind::gru);
  all.push_back({.model = ModelKind::lstm,
                 .layers = 2,
                 .bidirectional = true,
                 .steps = 100,
                 .input = 128,
                 .hidden = 256,
                 .batch = 64,
                 .on_one = false,
                 .by_default = false});
  all.push_back({.model = ModelKind::lstm,
                 .lengths = Lengths::mixed,
                 .steps = 64,
                 .input = 128,
                 .hidden = 256,
                 .batch = 64,
                 .on_one = false,
                 .by_default = false});
  all.push_back({.model = ModelKind::lstm,
                 .lengths = Lengths::one_long,
                 .steps = 500,
                 .input = 128,
                 .hidden = 256,
                 .batch = 64,
                 .on_one = false,
                 .by_default = false});
  // Few rows, which the threads share too, and many.
  for (const std::int64_t batch : {1, 4, 8, 16}) {
    all.push_back({.batch = batch, .by_default = false});
    all.push_back({.model = ModelKind::lstm,
                   .input = 128,
                   .hidden = 256,
                   .batch = batch,
                   .by_default = false});
  }
  all.push_back({.model = ModelKind::lstm,
                 .steps = 8,
                 .input = 1024,
                 .hidden = 1024,
                 .batch = 512,
                 .on_one = false,
                 .by_default = false});
  all.push_back({.model = ModelKind::fnn, .by_default = false});
  all.push_back({.model = ModelKind::cnn, .layers = 2, .hidden = 16, .on_one = false});
  all.push_back({.kind = Kind::eval, .batch = 10'000, .on_one = false});
  for (const ModelKind cell : {ModelKind::rnn, ModelKind::lstm, ModelKind::gru})
    add_streams(all, cell);
  if (!kernels::bf16_available())
    std::erase_if(all, [](const Workload& w) { return w.precision == Precision::bf16; });
  return all;
}

/// The multiplications for one image: 25 x input channels for each output number (channels x rows x
/// columns).
double convolution_products(const Workload& w, double passes) {
  double products = 0, pixels = static_cast<double>(w.steps * w.input);
  std::int64_t before = 1, after = w.hidden;
  for (std::int64_t l = 0; l < w.layers; ++l) {
    products += pixels * static_cast<double>(25 * before * after) *
                (l == 0 ? std::min(passes, 2.0) : passes);  // no gradient of the images
    before = after;
    after *= 2;
    pixels /= 4;
  }
  return products;
}

/// The multiplications for one image of T x I pixels, with one hidden layer.
double perceptron_products(const Workload& w, double passes) {
  const auto pixels = static_cast<double>(w.steps * w.input), h = static_cast<double>(w.hidden);
  return h * (pixels * std::min(passes, 2.0) + static_cast<double>(Workload::outputs) * passes);
}

/// The multiplications for one time step of one sequence.
double recurrent_products(const Workload& w, double passes) {
  const auto h = static_cast<double>(w.hidden), d = w.bidirectional ? 2.0 : 1.0;
  double products = static_cast<double>(w.input) * std::min(passes, 2.0) + h * passes;
  products += static_cast<double>(w.layers - 1) * (d * h + h) * passes;
  return d * static_cast<double>(spec::info_of(cell_of(w)).traits().gates) * h * products;
}

}  // namespace

const std::vector<Workload>& workloads() {
  static const std::vector<Workload> all = all_that_run_here();
  return all;
}

std::string name_of(const Workload& w) {
  std::string name = w.kind == Kind::train ? "train/" : w.kind == Kind::eval ? "eval/" : "step/";
  name += train::name_of(w.model);
  if (w.model == ModelKind::rnn) name += fmt::format("_{}", spec::name_of(w.activation));
  if (w.layers > 1) name += fmt::format("_{}layers", w.layers);
  if (w.bidirectional) name += "_bidirectional";
  if (w.lengths != Lengths::equal) name += w.lengths == Lengths::mixed ? "_mixed" : "_onelong";
  name += suffix_of(w.regulariser);
  if (w.optimizer == train::Algorithm::muon) name += "_muon";
  if (w.precision == Precision::bf16) name += "_bf16";
  if (w.model == ModelKind::cnn)
    return name + fmt::format("/{}x{}_c{}_n{}", w.steps, w.input, w.hidden, w.batch);
  name += w.kind == Kind::step ? "/" : fmt::format("/t{}_", w.steps);
  name += fmt::format("i{}_h{}", w.input, w.hidden);
  if (w.kind == Kind::train) name += fmt::format("_n{}", w.batch);
  return name;
}

spec::Cell cell_of(const Workload& w) {
  const auto cell = spec::find_cell(train::name_of(w.model));
  if (!cell) throw Error("bench", name_of(w) + " has no recurrent layer");
  return *cell;
}

std::vector<std::int64_t> lengths_of(const Workload& w) {
  std::vector<std::int64_t> lengths;
  if (w.lengths == Lengths::equal) return lengths;
  for (std::int64_t i = 0; i < w.batch; ++i) {
    const std::int64_t turn = 37 * i % w.batch + 1;
    lengths.push_back(w.lengths == Lengths::mixed
                          ? std::max(std::int64_t{1}, turn * w.steps / w.batch)
                      : i == 0 ? w.steps
                               : std::min(std::int64_t{5}, w.steps));
  }
  return lengths;
}

double useful_flops(const Workload& w) {
  // In training, each forward product has two more: one for the gradient of its weight, and one for
  // the gradient of its input.
  const double passes = w.kind == Kind::train ? 3 : 1;
  if (w.model == ModelKind::cnn)
    return 2 * static_cast<double>(w.batch) * convolution_products(w, passes);
  if (w.model == ModelKind::fnn)
    return 2 * static_cast<double>(w.batch) * perceptron_products(w, passes);
  const auto lengths = lengths_of(w);
  const std::int64_t steps = lengths.empty()
                                 ? w.batch * w.steps
                                 : std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  return 2 * static_cast<double>(steps) * recurrent_products(w, passes);
}

double weight_bytes(const Workload& w) {
  const std::int64_t directions = w.bidirectional ? 2 : 1;
  const CellTraits cell = spec::info_of(cell_of(w)).traits();
  const auto gates = static_cast<std::int64_t>(cell.gates),
             biases = 2 * gates - static_cast<std::int64_t>(cell.joint);
  std::int64_t count = 0;
  for (std::int64_t l = 0; l < w.layers; ++l) {
    const std::int64_t input = l == 0 ? w.input : directions * w.hidden;
    count += directions * w.hidden * (gates * (input + w.hidden) + biases);
  }
  return 4 * static_cast<double>(count);
}

double padding_ceiling(std::size_t columns, std::size_t lanes) {
  const std::size_t rest = columns % lanes;
  const std::size_t last = rest == 0 ? 0 : 2 * rest <= lanes ? lanes / 2 : lanes;
  return static_cast<double>(columns) / static_cast<double>(columns - rest + last);
}

}  // namespace unroll::bench
