// Each kernel alone, at the shapes that the layers use it with, on one thread. What whole steps
// take is what `unroll bench` measures.
#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/recurrent.h"
#include "kernels/table.h"
#include "unroll/core/random.h"

namespace {

using namespace unroll;
using kernels::Epilogue;
using kernels::Gemm;

constexpr std::size_t kSteps = 28;

std::vector<float> noise(std::size_t count) {
  std::vector<float> values(count);
  Generator generator(1);
  generator.uniform(std::span(values), -0.1, 0.1);
  return values;
}

/// A slice of the batch at one time step: rows, I and H.
struct Sizes {
  explicit Sizes(const benchmark::State& state)
      : rows(static_cast<std::size_t>(state.range(0))),
        input(static_cast<std::size_t>(state.range(1))),
        hidden(static_cast<std::size_t>(state.range(2))) {}
  std::size_t rows, input, hidden;
};

void count_flops(benchmark::State& state, std::size_t multiplications) {
  state.counters["FLOP/s"] = benchmark::Counter(2 * static_cast<double>(multiplications),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

void run_gemm(benchmark::State& state, const Gemm<float>& g) {
  const auto& kernels = kernels::table<float>();
  for (auto _ : state) {
    kernels.gemm(g);
    benchmark::ClobberMemory();
  }
  std::size_t depth = 0;
  for (int i = 0; i < g.count; ++i) depth += g.products[i].depth * g.products[i].repeat;
  count_flops(state, g.rows * g.columns * depth);
}

/// h = f(b + x W_ih + h W_hh), from packed weights.
void forward_step(benchmark::State& state, Epilogue epilogue) {
  const Sizes s(state);
  const std::size_t stride = (s.hidden + 15) / 16 * 16;
  const auto packed = noise((1 + s.input + s.hidden) * stride), x = noise(s.rows * s.input),
             before = noise(s.rows * s.hidden);
  std::vector<float> after(s.rows * s.hidden);
  Gemm<float> g = kernels::dense_product(s.rows, s.input, s.hidden, x.data(),
                                         packed.data() + stride, after.data());
  g.products[0].b_k = static_cast<std::ptrdiff_t>(stride);
  g.products[1] = g.products[0];
  g.products[1].a = before.data();
  g.products[1].a_row = static_cast<std::ptrdiff_t>(s.hidden);
  g.products[1].b = packed.data() + (1 + s.input) * stride;
  g.products[1].depth = s.hidden;
  g.count = 2;
  g.init = packed.data();
  g.epilogue = epilogue;
  run_gemm(state, g);
}
void gemm_forward_relu(benchmark::State& state) { forward_step(state, Epilogue::relu); }
void gemm_forward_tanh(benchmark::State& state) { forward_step(state, Epilogue::tanh); }

/// dz = f'(h) (dz W_hh).
void gemm_backward(benchmark::State& state) {
  const Sizes s(state);
  const auto weight = noise(s.hidden * s.hidden), after = noise(s.rows * s.hidden),
             h = noise(s.rows * s.hidden);
  std::vector<float> before(s.rows * s.hidden);
  Gemm<float> g = kernels::dense_product(s.rows, s.hidden, s.hidden, after.data(), weight.data(),
                                         before.data());
  g.epilogue = Epilogue::relu_derivative;
  g.saved = h.data();
  g.saved_row = static_cast<std::ptrdiff_t>(s.hidden);
  run_gemm(state, g);
}

/// dW_hh = the sum over all steps of dz^T h.
void gemm_weight_gradient(benchmark::State& state) {
  const Sizes s(state);
  const std::size_t block = s.rows * s.hidden;
  const auto dz = noise(kSteps * block), h = noise(kSteps * block);
  std::vector<float> gradient(s.hidden * s.hidden);
  Gemm<float> g =
      kernels::transposed_product(s.hidden, s.rows, s.hidden, dz.data(), h.data(), gradient.data());
  g.products[0].repeat = kSteps;
  g.products[0].a_repeat = g.products[0].b_repeat = static_cast<std::ptrdiff_t>(block);
  run_gemm(state, g);
}

/// The bias' gradient: the sum of all steps' dz.
void gemm_column_sums(benchmark::State& state) {
  const Sizes s(state);
  const auto dz = noise(kSteps * s.rows * s.hidden);
  std::vector<float> sums(s.hidden);
  run_gemm(state, kernels::column_sums(kSteps * s.rows, s.hidden, dz.data(), sums.data()));
}

#define UNROLL_BENCH(f) BENCHMARK(f)->ArgNames({"rows", "I", "H"})
UNROLL_BENCH(gemm_forward_relu)->Args({12, 28, 100})->Args({8, 256, 256})->Args({8, 1024, 1024});
UNROLL_BENCH(gemm_forward_tanh)->Args({12, 28, 100})->Args({8, 256, 256});
UNROLL_BENCH(gemm_backward)->Args({12, 28, 100})->Args({8, 256, 256})->Args({8, 1024, 1024});
UNROLL_BENCH(gemm_weight_gradient)->Args({12, 28, 100})->Args({8, 256, 256})->Args({8, 1024, 1024});
UNROLL_BENCH(gemm_column_sums)->Args({12, 28, 100});
#undef UNROLL_BENCH

/// All weights of a layer, transposed, with the biases added.
void pack(benchmark::State& state) {
  const auto hidden = static_cast<std::size_t>(state.range(1));
  const kernels::RecurrentShape shape{
      .batch = 1, .steps = 1, .input = static_cast<std::size_t>(state.range(0)), .hidden = hidden};
  const auto weight_ih = noise(hidden * shape.input), weight_hh = noise(hidden * hidden),
             bias = noise(hidden);
  const kernels::RecurrentWeights<float> weights{weight_ih.data(), weight_hh.data(), bias.data(),
                                                 bias.data()};
  std::vector<float> packed(kernels::RecurrentPlan(shape).packed_size);
  for (auto _ : state) {
    kernels::pack(shape, &weights, packed.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(
      state.iterations() * (weight_ih.size() + weight_hh.size()) * sizeof(float)));
}
BENCHMARK(pack)->ArgNames({"I", "H"})->Args({28, 100})->Args({1024, 1024});

/// Elementwise, over what stays in L1.
void elementwise(benchmark::State& state, void (*f)(const float*, float*, std::size_t) noexcept) {
  const auto in = noise(2048);
  std::vector<float> out(in.size());
  for (auto _ : state) {
    f(in.data(), out.data(), in.size());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(in.size()));
}
void elementwise_exp(benchmark::State& state) { elementwise(state, kernels::table<float>().exp); }
void elementwise_tanh(benchmark::State& state) { elementwise(state, kernels::table<float>().tanh); }
BENCHMARK(elementwise_exp);
BENCHMARK(elementwise_tanh);

}  // namespace
