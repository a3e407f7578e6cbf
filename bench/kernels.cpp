// Each kernel alone, at the shapes that the layers use it with, on one thread. What whole steps
// take is what `unroll bench` measures.
#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/recurrent.h"
#include "kernels/sharded_gemm.h"
#include "kernels/table.h"
#include "unroll/core/random.h"
#include "unroll/core/threads.h"

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

/// The gradient of a linear layer's weights over K shards; with one, a single chain.
void linear_weight_gradient(benchmark::State& state) {
  set_num_threads(1);
  const auto at = [&](int i) { return static_cast<std::size_t>(state.range(i)); };
  const std::size_t rows = at(0), inputs = at(1), outputs = at(2);
  const auto dy = noise(rows * outputs), x = noise(rows * inputs);
  std::vector<float> gradient(outputs * inputs);
  const Shards shards(rows, at(3));
  for (auto _ : state) {
    kernels::sharded_gemm(kernels::transposed_product<float>(outputs, rows, inputs, dy.data(),
                                                             x.data(), gradient.data()),
                          shards);
    benchmark::ClobberMemory();
  }
  count_flops(state, rows * inputs * outputs);
}
BENCHMARK(linear_weight_gradient)
    ->ArgNames({"rows", "I", "O", "K"})
    ->Args({100, 784, 100, 1})
    ->Args({100, 784, 100, 4})
    ->Args({512, 1024, 1024, 1})
    ->Args({512, 1024, 1024, 32});

/// What a cell reads and writes, of rows and H that stay in a core's caches.
struct CellArrays {
  explicit CellArrays(const benchmark::State& state)
      : kernel(kernels::table<float>().cells[static_cast<std::size_t>(state.range(0))]),
        rows(static_cast<std::size_t>(state.range(1))),
        hidden(static_cast<std::size_t>(state.range(2))),
        z(noise(4 * rows * hidden)),
        before(noise(rows * hidden)),
        h(before),
        c(before) {}

  /// Call is CellForward or CellBackward.
  template <class Call>
  Call call() {
    Call call;
    call.rows = rows;
    call.hidden = hidden;
    call.units = {0, hidden};
    call.z = {z.data(), static_cast<std::ptrdiff_t>(4 * hidden)};
    call.h_before = call.c_before = {before.data(), static_cast<std::ptrdiff_t>(hidden)};
    return call;
  }

  const kernels::CellKernels<float>& kernel;
  std::size_t rows, hidden;
  std::vector<float> z, before, h, c;
};

/// f replaces the numbers that it starts from: they soon stay as they are, and no time depends on
/// them.
template <class F>
void run_cell(benchmark::State& state, const CellArrays& arrays, F f) {
  for (int i = 0; i < 1000; ++i) f();
  for (auto _ : state) {
    f();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(arrays.rows * arrays.hidden));
}

void cell_forward(benchmark::State& state) {
  CellArrays arrays(state);
  auto call = arrays.call<kernels::CellForward<float>>();
  call.c = {arrays.c.data(), call.h_before.row};
  call.h = {arrays.h.data(), call.h_before.row};
  run_cell(state, arrays, [&] { arrays.kernel.forward(call); });
}

void cell_backward(benchmark::State& state) {
  CellArrays arrays(state);
  auto call = arrays.call<kernels::CellBackward<float>>();
  call.dh = {arrays.h.data(), call.h_before.row};
  call.dc = {arrays.c.data(), call.h_before.row};
  run_cell(state, arrays, [&] { arrays.kernel.backward(call); });
}

constexpr auto kTanh = static_cast<int>(kernels::Cell::rnn_tanh),
               kLstm = static_cast<int>(kernels::Cell::lstm),
               kGru = static_cast<int>(kernels::Cell::gru);

#define UNROLL_BENCH(f) BENCHMARK(f)->ArgNames({"cell", "rows", "H"})
UNROLL_BENCH(cell_forward)->Args({kTanh, 12, 100})->Args({kLstm, 12, 100})->Args({kGru, 12, 100});
UNROLL_BENCH(cell_backward)->Args({kTanh, 12, 100})->Args({kLstm, 12, 100})->Args({kGru, 12, 100});
#undef UNROLL_BENCH

/// A layer, its weights and all that a pass through it needs.
class Pass {
 public:
  explicit Pass(const benchmark::State& state) {
    set_num_threads(1);
    shape_.cell = static_cast<kernels::Cell>(state.range(0));
    shape_.batch = static_cast<std::size_t>(state.range(1));
    shape_.steps = kSteps;
    shape_.input = static_cast<std::size_t>(state.range(2));
    shape_.hidden = static_cast<std::size_t>(state.range(3));
    const kernels::RecurrentPlan plan(shape_);
    const std::size_t gates = shape_.gates() * shape_.hidden,
                      row = kernels::padded_row(shape_.hidden);
    weight_ih_ = noise(gates * shape_.input);
    weight_hh_ = noise(gates * shape_.hidden);
    bias_ = noise(gates);
    input_ = noise(rows() * shape_.input);
    grad_output_ = noise(rows() * row);
    packed_.resize(plan.packed_size);
    output_.resize(rows() * row);
    saved_.resize(plan.saved_size(shape_, kSteps));
    gradients_.resize(plan.gradient_blocks * plan.gradient_size);
    scratch_.resize(plan.backward_scratch);
  }

  void pack() { kernels::pack(shape_, weights(), packed_.data()); }

  void forward() {
    kernels::RecurrentForward<float> call;
    call.shape = shape_;
    call.packed = packed_.data();
    call.input = sequence<const float>(input_, shape_.input);
    call.output = sequence<float>(output_, kernels::padded_row(shape_.hidden));
    call.saved = saved_.data();
    call.slots = call.saved_slots = kSteps;
    kernels::forward(call);
  }

  void backward() {
    kernels::RecurrentBackward<float> call;
    call.shape = shape_;
    call.weights = weights();
    call.input = sequence<const float>(input_, shape_.input);
    call.output = sequence<const float>(output_, kernels::padded_row(shape_.hidden));
    call.saved = saved_.data();
    call.grad_output = sequence<const float>(grad_output_, kernels::padded_row(shape_.hidden));
    call.grad_count = kSteps;
    call.gradients = gradients_.data();
    call.scratch = scratch_.data();
    kernels::backward(call);
  }

  std::size_t weights_size() const { return weight_ih_.size() + weight_hh_.size(); }
  std::size_t forward_multiplications() const { return rows() * weights_size(); }
  /// Of the states' gradient and of the weights'.
  std::size_t backward_multiplications() const {
    return rows() * (weight_hh_.size() + weights_size());
  }

 private:
  kernels::RecurrentWeights<float> weights() const {
    kernels::RecurrentWeights<float> all;
    all[WeightRole::weight_ih] = weight_ih_.data();
    all[WeightRole::weight_hh] = weight_hh_.data();
    all[WeightRole::bias_ih] = all[WeightRole::bias_hh] = bias_.data();
    return all;
  }
  std::size_t rows() const { return kSteps * shape_.batch; }
  template <class T>
  kernels::Sequence<T> sequence(std::vector<float>& of, std::size_t row) const {
    return {of.data(), static_cast<std::ptrdiff_t>(shape_.batch * row),
            static_cast<std::ptrdiff_t>(row)};
  }

  kernels::RecurrentShape shape_;
  std::vector<float> weight_ih_, weight_hh_, bias_, input_, grad_output_;
  std::vector<float> packed_, output_, saved_, gradients_, scratch_;
};

/// All weights of a layer, transposed, with the biases added.
void pack(benchmark::State& state) {
  Pass pass(state);
  for (auto _ : state) {
    pass.pack();
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(
      static_cast<std::int64_t>(state.iterations() * pass.weights_size() * sizeof(float)));
}

/// All time steps of a layer, all states kept.
void forward_pass(benchmark::State& state) {
  Pass pass(state);
  pass.pack();
  for (auto _ : state) {
    pass.forward();
    benchmark::ClobberMemory();
  }
  count_flops(state, pass.forward_multiplications());
}

/// Back through all time steps, without the input's gradient. It spoils what forward saved, so each
/// comes after a forward, which is not measured.
void backward_pass(benchmark::State& state) {
  Pass pass(state);
  pass.pack();
  for (auto _ : state) {
    state.PauseTiming();
    pass.forward();
    state.ResumeTiming();
    pass.backward();
    benchmark::ClobberMemory();
  }
  count_flops(state, pass.backward_multiplications());
}

#define UNROLL_BENCH(f) BENCHMARK(f)->ArgNames({"cell", "N", "I", "H"})
UNROLL_BENCH(pack)->Args({kTanh, 1, 28, 100})->Args({kTanh, 1, 1024, 1024});
UNROLL_BENCH(forward_pass)
    ->Args({kTanh, 100, 28, 100})
    ->Args({kLstm, 100, 28, 100})
    ->Args({kGru, 100, 28, 100})
    ->Args({kLstm, 64, 256, 256})
    ->Args({kGru, 64, 256, 256});
UNROLL_BENCH(backward_pass)
    ->Args({kTanh, 100, 28, 100})
    ->Args({kLstm, 100, 28, 100})
    ->Args({kGru, 100, 28, 100})
    ->Args({kLstm, 64, 256, 256})
    ->Args({kGru, 64, 256, 256});
#undef UNROLL_BENCH

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
