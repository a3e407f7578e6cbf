// A whole training step of the tutorial's model: zero_grad, batch, forward, loss, backward,
// clipping and SGD. bench/peers/pytorch_step.py times the same work in PyTorch.
#include <benchmark/benchmark.h>
#include <unroll/unroll.h>

namespace {

using namespace unroll;

/// The useful arithmetic of one step of an Rnn with a readout of the last step: no gradient for the
/// images, no work for the zero initial state.
double flops(double n, double t, double i, double h, double layers) {
  double products = 2 * i * h;  // forward, weight gradient
  for (int l = 1; l < static_cast<int>(layers); ++l) products += 3 * h * h;  // and down a layer
  return 2 * n * t * products + 2 * n * (t - 1) * layers * 3 * h * h;
}

data::Dataset noise_images() {
  data::Dataset set;
  set.count = 6000;
  set.rows = set.columns = 28;
  Generator generator(1);
  for (int i = 0; i < 6000 * 28 * 28; ++i)
    set.images.push_back(static_cast<std::uint8_t>(generator.next_u32()));
  for (int i = 0; i < 6000; ++i)
    set.labels.push_back(static_cast<std::uint8_t>(generator.next_u32() % 10));
  return set;
}

struct Model : nn::Module {
  nn::Rnn rnn;
  nn::Linear fc;
  Model(std::int64_t hidden, std::int64_t layers, DType dtype)
      : rnn(child("rnn"), 28, hidden,
            {.num_layers = layers,
             .nonlinearity = Nonlinearity::relu,
             .batch_first = true,
             .dtype = dtype}),
        fc(child("fc"), hidden, 10, {.dtype = dtype}) {}
  Tensor forward(const Tensor& x) { return fc(rnn(x).output.select(1, -1)); }
};

void train(benchmark::State& state, DType dtype, bool muon) {
  const auto layers = state.range(0);
  set_num_threads(static_cast<int>(state.range(1)));
  static const data::Dataset set = noise_images();
  data::Loader loader(set, {.batch_size = 100, .shuffle = true, .dtype = dtype});
  Model model(100, layers, dtype);
  const Parameters parameters = model.parameters();
  // A rate so small that noise can't make it diverge.
  std::unique_ptr<optim::Optimizer> optimizer;
  if (muon)
    optimizer = std::make_unique<optim::Muon>(parameters, optim::MuonOptions{.lr = 1e-6});
  else
    optimizer = std::make_unique<optim::Sgd>(parameters, optim::SgdOptions{.lr = 1e-6});
  auto at = loader.begin();
  for (auto _ : state) {
    if (!(at != loader.end())) at = loader.begin();
    auto [images, labels] = *at;
    ++at;
    optimizer->zero_grad();
    auto loss = nn::cross_entropy(model.forward(images.view({-1, 28, 28})), labels);
    loss.backward();
    optim::clip_grad_norm(parameters, 1.0);
    optimizer->step();
    benchmark::DoNotOptimize(loss.item());
  }
  state.counters["GFLOP/s"] =
      benchmark::Counter(flops(100, 28, 28, 100, static_cast<double>(layers)) * 1e-9,
                         benchmark::Counter::kIsIterationInvariantRate);
}

void sgd_f32(benchmark::State& state) { train(state, DType::f32, false); }
void sgd_f64(benchmark::State& state) { train(state, DType::f64, false); }
void muon_f32(benchmark::State& state) { train(state, DType::f32, true); }

#define UNROLL_BENCH(f) \
  BENCHMARK(f)->ArgNames({"layers", "threads"})->UseRealTime()->Unit(benchmark::kMillisecond)
UNROLL_BENCH(sgd_f32)->Args({1, 1})->Args({1, 2})->Args({2, 2});
UNROLL_BENCH(muon_f32)->Args({1, 1})->Args({1, 2});
UNROLL_BENCH(sgd_f64)->Args({1, 2});

}  // namespace
