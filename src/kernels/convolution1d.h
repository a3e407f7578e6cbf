// Convolutions over the steps of sequences, as products: forward, and both gradients.
//
// The input is copied once, with zeros around each sequence. In that copy the steps of a window
// are rows at a fixed distance. So a product can read all windows of a sequence where they lie, and
// no window is copied.
#pragma once

#include <cstddef>

#include "core/shards.h"
#include "kernels/recurrent.h"
#include "unroll/core/step_windows.h"

namespace unroll::kernels {

/// x is (N, T, C), the weight (O, C / G, K), y (N, U, O).
struct Convolution1dShape {
  std::size_t batch = 0, steps = 0, channels = 0, outputs = 0;  // N, T, C, O
  std::size_t groups = 1;  // G: O / G outputs read C / G inputs
  StepWindows windows = {};
  /// (N), the steps of each sequence, each from windows.shortest() to T; null: all are T. Inputs
  /// past a sequence's end count as zeros, and outputs past its end are zeros.
  const std::size_t* lengths = nullptr;
  Shards shards = {};  // of the batch, for the gradient of the weights

  std::size_t out_steps() const { return out_steps(steps); }  // U
  std::size_t out_steps_of(std::size_t n) const {
    return lengths ? out_steps(lengths[n]) : out_steps();
  }
  std::size_t kernel() const { return static_cast<std::size_t>(windows.kernel); }
  std::size_t stride() const { return static_cast<std::size_t>(windows.stride); }
  std::size_t group_channels() const { return channels / groups; }
  std::size_t group_outputs() const { return outputs / groups; }
  std::size_t weights() const { return outputs * group_channels() * kernel(); }

  /// Windows of one sequence in the padded copy: U, and windows that reach into the next sequence,
  /// so that all windows of a batch are at one distance.
  std::size_t padded_windows() const;
  /// Elements of the padded copy.
  std::size_t padded_size() const;

 private:
  std::size_t out_steps(std::size_t in) const {
    return static_cast<std::size_t>(windows.outputs(static_cast<std::int64_t>(in)));
  }
};

/// The weight (O, C / G, K) as forward reads it: (G, K, C / G, O / G).
template <class T>
void pack_convolution1d(const Convolution1dShape& s, const T* weight, T* packed) noexcept;

/// Copies x with zeros around each sequence.
template <class T>
void pad_sequences(const Convolution1dShape& s, Sequence<const T> x, T* padded) noexcept;

/// y = bias (or 0) + the sum of w[o, c, k] x over k, c, in that order.
template <class T>
void convolve_steps(const Convolution1dShape& s, const T* padded, const T* packed, const T* bias,
                    Sequence<T> y) noexcept;

/// One output of one sequence: `window` is (span, C), out (O). The bits are those of
/// convolve_steps().
template <class T>
void convolve_window(const Convolution1dShape& s, const T* window, const T* packed, const T* bias,
                     T* out) noexcept;

/// dx (N, T, C): each element is a sum over k, o, in that order. dy is (N, U, O). `turned` has room
/// for the weights, `padded` for the padded copy.
template <class T>
void convolution1d_input_gradient(const Convolution1dShape& s, const T* dy, const T* weight, T* dx,
                                  T* turned, T* padded) noexcept;

/// dweight, and dbias (O) unless it is null. Each shard sums over sequences and steps in ascending
/// order. Then the tree adds the shards (core/shards.h). `all_dy` has room for padded_windows()
/// rows of O for each sequence, `packed` for the weights.
template <class T>
void convolution1d_weight_gradient(const Convolution1dShape& s, const T* padded, const T* dy,
                                   T* dweight, T* dbias, T* all_dy, T* packed);

}  // namespace unroll::kernels
