// The stages that see vectors or images: linear layers, activations, convolutions, pooling.
#pragma once

#include "infer/compiled.h"
#include "kernels/table.h"

namespace unroll::infer {

/// out[i] = f(in[i]); the two may be the same. On the caller's thread.
template <class T>
void activate(spec::Activation function, const T* in, T* out, std::size_t count) noexcept;

/// out[j] = (in[j] - mean[j]) / std[j] of one row; the two may be the same.
template <class T>
void scale(const Scale<T>& scale, const T* in, T* out) noexcept;

/// out[j] = x[j] + fx[j]; the two may be the same.
template <class T>
void add(const T* x, const T* fx, T* out, std::size_t count) noexcept;

/// out (rows, O) = in (rows, I) W + b, rows so many elements apart.
template <class T>
kernels::Gemm<T> product_of(const Linear<T>& linear, std::size_t rows, const T* in,
                            std::ptrdiff_t in_row, T* out, std::ptrdiff_t out_row) noexcept;

/// Runs the stages from `first` on for some rows at a time, on all threads.
template <class T>
class VectorRun {
 public:
  VectorRun(const Compiled<T>& model, std::size_t first, std::size_t rows);

  /// in (rows, I of the first stage) without gaps, for no more rows than were said; the result
  /// (rows, C) stays valid until the next call.
  const T* operator()(const T* in, std::size_t rows);

  /// The numbers of the largest thing that comes out of a stage.
  static std::size_t row_size(const Compiled<T>& model, std::size_t first);

 private:
  const Compiled<T>& model_;
  std::size_t first_;
  std::vector<T> one_, other_, scratch_;
  std::vector<std::vector<T>> kept_;  // of each stage, what flowed into it, where it is added later
};

}  // namespace unroll::infer
