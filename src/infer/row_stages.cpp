#include "infer/row_stages.h"

#include <algorithm>

#include "core/numerics.h"
#include "core/parallel.h"
#include "infer/tokens.h"
#include "kernels/layer_norm.h"
#include "kernels/parallel_gemm.h"

namespace unroll::infer {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 14;  // numbers per task

/// Calls f(t, n) for every row. `width` is the number of elements of a row.
template <class T, class F>
void each_row(const Block<T>& block, std::size_t width, F&& f) noexcept {
  if (!block.on_all_threads) {
    for (std::size_t t = 0; t < block.steps; ++t)
      for (std::size_t n = 0; n < block.rows; ++n) f(t, n);
    return;
  }
  parallel_pieces(block.steps * block.rows, std::max<std::size_t>(kPiece / width, 1),
                  [&](std::size_t begin, std::size_t end) {
                    for (std::size_t i = begin; i < end; ++i) f(i / block.rows, i % block.rows);
                  });
}

// One function for each kind of stage. run_rows() does not compile if one is missing.

template <class T>
void run(const Linear<T>& l, const Block<T>& b) noexcept {
  const auto product = [&](std::size_t rows, const T* in, std::ptrdiff_t in_row, T* out,
                           std::ptrdiff_t out_row) {
    auto g = kernels::dense_product<T>(rows, l.inputs, l.outputs, in, l.weight.data(), out);
    g.products[0].a_row = in_row;
    g.out_row = out_row;
    if (!l.bias.empty()) g.init = l.bias.data();
    b.on_all_threads ? kernels::parallel_gemm(g) : kernels::table<T>().gemm(g);
  };
  // Few products of many rows are faster than many products of few rows.
  if (b.rows >= b.steps)
    for (std::size_t t = 0; t < b.steps; ++t)
      product(b.rows, b.in.at(t, 0), b.in.row, b.out.at(t, 0), b.out.row);
  else
    for (std::size_t n = 0; n < b.rows; ++n)
      product(b.steps, b.in.at(0, n), b.in.step, b.out.at(0, n), b.out.step);
}

template <class T>
void activate(spec::Activation function, const T* in, T* out, std::size_t count) noexcept {
  switch (function) {
    case spec::Activation::relu:
      for (std::size_t i = 0; i < count; ++i) out[i] = in[i] < 0 ? T{0} : in[i];
      return;
    case spec::Activation::tanh:
      return kernels::table<T>().tanh(in, out, count);
    case spec::Activation::sigmoid:
      for (std::size_t i = 0; i < count; ++i) out[i] = -in[i];
      kernels::table<T>().exp(out, out, count);
      for (std::size_t i = 0; i < count; ++i) out[i] = 1 / (1 + out[i]);
      return;
    case spec::Activation::symlog:
      for (std::size_t i = 0; i < count; ++i)
        out[i] = static_cast<T>(numerics::symlog(static_cast<double>(in[i])));
      return;
  }
}

template <class T>
void run(const Activate& a, const Block<T>& b) noexcept {
  const auto width = static_cast<std::ptrdiff_t>(a.features);
  if (b.steps != 1 || b.in.row != width || b.out.row != width) {
    each_row(b, a.features, [&](std::size_t t, std::size_t n) {
      activate(a.function, b.in.at(t, n), b.out.at(t, n), a.features);
    });
  } else if (const std::size_t count = b.rows * a.features; b.on_all_threads) {
    parallel_pieces(count, kPiece, [&](std::size_t begin, std::size_t end) {
      activate(a.function, b.in.data + begin, b.out.data + begin, end - begin);
    });
  } else {
    activate(a.function, b.in.data, b.out.data, count);
  }
}

template <class T>
void run(const Scale<T>& s, const Block<T>& b) noexcept {
  const std::size_t width = s.mean.size();
  each_row(b, width, [&](std::size_t t, std::size_t n) {
    const T* const x = b.in.at(t, n);
    T* const y = b.out.at(t, n);
    for (std::size_t j = 0; j < width; ++j) y[j] = (x[j] - s.mean[j]) / s.std[j];
  });
}

template <class T>
void run(const LayerNorm<T>& norm, const Block<T>& b) noexcept {
  const T* const weight = norm.weight.empty() ? nullptr : norm.weight.data();
  const T* const bias = norm.bias.empty() ? nullptr : norm.bias.data();
  each_row(b, norm.features, [&](std::size_t t, std::size_t n) {
    kernels::normalise_row(b.in.at(t, n), norm.features, norm.eps, weight, bias, b.out.at(t, n));
  });
}

template <class T>
void run(const Embedding<T>& e, const Block<T>& b) noexcept {
  each_row(b, e.width, [&](std::size_t t, std::size_t n) {
    const std::size_t token = token_of(*b.in.at(t, n), e.rows);
    std::copy_n(e.weight.data() + (token == e.rows ? 0 : token) * e.width, e.width, b.out.at(t, n));
  });
}

template <class T>
void run(const Residual& r, const Block<T>& b) noexcept {
  const T* const kept = b.kept[r.from].data();
  each_row(b, r.features, [&](std::size_t t, std::size_t n) {
    const T* const x = kept + (t * b.kept_rows + n) * r.features;
    const T* const fx = b.in.at(t, n);
    T* const y = b.out.at(t, n);
    for (std::size_t j = 0; j < r.features; ++j) y[j] = x[j] + fx[j];
  });
}

}  // namespace

template <class T>
void run_rows(const RowStage<T>& stage, const Block<T>& block) noexcept {
  std::visit([&](const auto& s) { run(s, block); }, stage);
}

template void run_rows(const RowStage<float>&, const Block<float>&) noexcept;
template void run_rows(const RowStage<double>&, const Block<double>&) noexcept;

}  // namespace unroll::infer
