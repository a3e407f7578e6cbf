#include "kernels/convolution1d.h"

#include <algorithm>

#include "core/parallel.h"
#include "kernels/sharded_gemm.h"
#include "kernels/table.h"

namespace unroll::kernels {
namespace {

std::ptrdiff_t as_signed(std::size_t value) { return static_cast<std::ptrdiff_t>(value); }

/// Steps of one sequence in the padded copy: a multiple of the stride.
std::size_t padded_steps(const Convolution1dShape& s) { return s.padded_windows() * s.stride(); }

/// Calls f(n) for every sequence, on all threads if all need so many operations.
template <class F>
void each_sequence(const Convolution1dShape& s, std::size_t operations, F&& f) noexcept {
  constexpr std::size_t kWorthSharing = std::size_t{1} << 17;
  if (operations >= kWorthSharing) return parallel(s.batch, f);
  for (std::size_t n = 0; n < s.batch; ++n) f(n);
}

/// The product for `rows` windows of group g, which begin at `from` and are a stride apart.
template <class T>
Gemm<T> windows_product(const Convolution1dShape& s, std::size_t rows, std::size_t g, const T* from,
                        const T* packed, const T* bias) noexcept {
  const std::size_t inputs = s.group_channels(), outputs = s.group_outputs();
  Gemm<T> product;
  product.rows = rows;
  product.columns = outputs;
  product.count = 1;
  Product<T>& p = product.products[0];
  p.a = from + g * inputs;
  p.a_row = as_signed(s.stride() * s.channels);
  p.b = packed + g * s.kernel() * inputs * outputs;
  p.b_k = as_signed(outputs);
  p.depth = inputs;
  p.repeat = s.kernel();
  p.a_repeat = static_cast<std::ptrdiff_t>(s.windows.dilation) * as_signed(s.channels);
  p.b_repeat = as_signed(inputs * outputs);
  if (bias) product.init = bias + g * outputs;
  return product;
}

/// Copies dy (N, U, O) to `all_dy` (N, padded windows, O), with zeros past each sequence's end.
template <class T>
void pad_gradient(const Convolution1dShape& s, const T* dy, T* all_dy) noexcept {
  const std::size_t row = s.padded_windows() * s.outputs;
  each_sequence(s, s.batch * row, [&](std::size_t n) {
    const std::size_t count = s.out_steps_of(n) * s.outputs;
    std::copy_n(dy + n * s.out_steps() * s.outputs, count, all_dy + n * row);
    std::fill_n(all_dy + n * row + count, row - count, T{0});
  });
}

}  // namespace

std::size_t Convolution1dShape::padded_windows() const {
  const auto all = steps + static_cast<std::size_t>(windows.before() + windows.after());
  return (all + stride() - 1) / stride();
}

std::size_t Convolution1dShape::padded_size() const {
  const auto beyond = static_cast<std::size_t>(windows.span() - 1);  // of the last window
  return (batch * padded_windows() * stride() + beyond) * channels;
}

template <class T>
void pack_convolution1d(const Convolution1dShape& s, const T* weight, T* packed) noexcept {
  const std::size_t inputs = s.group_channels(), outputs = s.group_outputs(), kernel = s.kernel();
  for (std::size_t g = 0; g < s.groups; ++g)
    for (std::size_t k = 0; k < kernel; ++k)
      for (std::size_t c = 0; c < inputs; ++c)
        for (std::size_t o = 0; o < outputs; ++o)
          *packed++ = weight[((g * outputs + o) * inputs + c) * kernel + k];
}

template <class T>
void pad_sequences(const Convolution1dShape& s, Sequence<const T> x, T* padded) noexcept {
  const std::size_t row = padded_steps(s) * s.channels,
                    before = static_cast<std::size_t>(s.windows.before()) * s.channels;
  each_sequence(s, s.batch * row, [&](std::size_t n) {
    T* to = padded + n * row;
    const std::size_t steps = s.lengths ? s.lengths[n] : s.steps;
    to = std::fill_n(to, before, T{0});
    if (x.step == as_signed(s.channels))
      to = std::copy_n(x.at(0, n), steps * s.channels, to);
    else
      for (std::size_t t = 0; t < steps; ++t) to = std::copy_n(x.at(t, n), s.channels, to);
    std::fill(to, padded + (n + 1) * row, T{0});
  });
  std::fill(padded + s.batch * row, padded + s.padded_size(), T{0});
}

template <class T>
void convolve_steps(const Convolution1dShape& s, const T* padded, const T* packed, const T* bias,
                    Sequence<T> y) noexcept {
  constexpr std::size_t kRows = 128;  // of a task
  const Kernels<T>& kernels = table<T>();
  const std::size_t steps = s.out_steps(), pieces = (steps + kRows - 1) / kRows;
  const auto run = [&](std::size_t index) {
    const std::size_t n = index / pieces, first = index % pieces * kRows,
                      end = std::min(first + kRows, steps),
                      last = std::clamp(s.out_steps_of(n), first, end);
    const T* const from = padded + (n * padded_steps(s) + first * s.stride()) * s.channels;
    if (last > first)
      for (std::size_t g = 0; g < s.groups; ++g) {
        Gemm<T> product = windows_product(s, last - first, g, from, packed, bias);
        product.out = y.at(first, n) + g * s.group_outputs();
        product.out_row = y.step;
        kernels.gemm(product);
      }
    for (std::size_t u = last; u < end; ++u) std::fill_n(y.at(u, n), s.outputs, T{0});
  };
  constexpr std::size_t kWorthSharing = std::size_t{1} << 17;  // multiplications
  if (s.batch * steps * s.weights() >= kWorthSharing) return parallel(s.batch * pieces, run);
  for (std::size_t index = 0; index < s.batch * pieces; ++index) run(index);
}

template <class T>
void convolve_window(const Convolution1dShape& s, const T* window, const T* packed, const T* bias,
                     T* out) noexcept {
  for (std::size_t g = 0; g < s.groups; ++g) {
    Gemm<T> product = windows_product(s, 1, g, window, packed, bias);
    product.out = out + g * s.group_outputs();
    product.out_row = as_signed(s.outputs);
    table<T>().gemm(product);
  }
}

template <class T>
void convolution1d_input_gradient(const Convolution1dShape& s, const T* dy, const T* weight, T* dx,
                                  T* turned, T* padded) noexcept {
  const std::size_t inputs = s.group_channels(), outputs = s.group_outputs(), kernel = s.kernel();
  T* next = turned;  // (G, K, O / G, C / G)
  for (std::size_t g = 0; g < s.groups; ++g)
    for (std::size_t k = 0; k < kernel; ++k)
      for (std::size_t o = 0; o < outputs; ++o)
        for (std::size_t c = 0; c < inputs; ++c)
          *next++ = weight[((g * outputs + o) * inputs + c) * kernel + k];

  const Kernels<T>& kernels = table<T>();
  const std::size_t row = padded_steps(s) * s.channels;
  each_sequence(s, s.batch * s.out_steps() * s.weights(), [&](std::size_t n) {
    T* const sums = padded + n * row;
    std::fill_n(sums, row, T{0});
    const std::size_t steps = s.out_steps_of(n);
    for (std::size_t g = 0; g < s.groups; ++g)
      for (std::size_t k = 0; k < kernel; ++k) {
        // Every window adds to its step k. No two windows share that step, so this is a product.
        Gemm<T> product = dense_product<T>(steps, outputs, inputs,
                                           dy + n * s.out_steps() * s.outputs + g * outputs,
                                           turned + (g * kernel + k) * outputs * inputs, nullptr);
        product.products[0].a_row = as_signed(s.outputs);
        product.out =
            sums + (k * static_cast<std::size_t>(s.windows.dilation)) * s.channels + g * inputs;
        product.out_row = as_signed(s.stride() * s.channels);
        product.init = product.out;
        product.init_row = product.out_row;
        kernels.gemm(product);
      }
    const std::size_t own = s.lengths ? s.lengths[n] : s.steps;
    T* const end = std::copy_n(sums + static_cast<std::size_t>(s.windows.before()) * s.channels,
                               own * s.channels, dx + n * s.steps * s.channels);
    std::fill_n(end, (s.steps - own) * s.channels, T{0});
  });
}

template <class T>
void convolution1d_weight_gradient(const Convolution1dShape& s, const T* padded, const T* dy,
                                   T* dweight, T* dbias, T* all_dy, T* packed) {
  pad_gradient(s, dy, all_dy);
  const std::size_t inputs = s.group_channels(), outputs = s.group_outputs(), kernel = s.kernel();
  const std::size_t windows = s.batch * s.padded_windows();
  const Shards shards = s.shards.times(s.padded_windows());
  // dw (K C / G, O / G) = x^T dy. Windows of adjacent steps are one matrix.
  const bool adjacent = s.groups == 1 && s.windows.dilation == 1;
  const std::size_t taps = adjacent ? 1 : kernel, rows = adjacent ? kernel * inputs : inputs;
  for (std::size_t g = 0; g < s.groups; ++g)
    for (std::size_t k = 0; k < taps; ++k) {
      Gemm<T> product = transposed_product<T>(
          rows, windows, outputs,
          padded + k * static_cast<std::size_t>(s.windows.dilation) * s.channels + g * inputs,
          all_dy + g * outputs, packed + (g * kernel + k) * inputs * outputs);
      product.products[0].a_k = as_signed(s.stride() * s.channels);
      product.products[0].b_k = as_signed(s.outputs);
      sharded_gemm(product, shards);
    }
  const T* next = packed;
  for (std::size_t g = 0; g < s.groups; ++g)
    for (std::size_t k = 0; k < kernel; ++k)
      for (std::size_t c = 0; c < inputs; ++c)
        for (std::size_t o = 0; o < outputs; ++o)
          dweight[((g * outputs + o) * inputs + c) * kernel + k] = *next++;
  if (dbias) sharded_gemm(column_sums<T>(windows, s.outputs, all_dy, dbias), shards);
}

#define UNROLL_CONVOLUTION1D(T)                                                                  \
  template void pack_convolution1d(const Convolution1dShape&, const T*, T*) noexcept;            \
  template void pad_sequences(const Convolution1dShape&, Sequence<const T>, T*) noexcept;        \
  template void convolve_steps(const Convolution1dShape&, const T*, const T*, const T*,          \
                               Sequence<T>) noexcept;                                            \
  template void convolve_window(const Convolution1dShape&, const T*, const T*, const T*,         \
                                T*) noexcept;                                                    \
  template void convolution1d_input_gradient(const Convolution1dShape&, const T*, const T*, T*,  \
                                             T*, T*) noexcept;                                   \
  template void convolution1d_weight_gradient(const Convolution1dShape&, const T*, const T*, T*, \
                                              T*, T*, T*);
UNROLL_CONVOLUTION1D(float)
UNROLL_CONVOLUTION1D(double)
#undef UNROLL_CONVOLUTION1D

}  // namespace unroll::kernels
