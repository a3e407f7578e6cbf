// The parameters of a model in one buffer, and their gradients in another.
#pragma once

#include <cstddef>

#include "unroll/autograd/parameter.h"

namespace unroll::nn {

/// A handle to the memory of a model's parameters. Each one starts on a cache line, in both buffers
/// at the same place. The gaps between them are zeros.
///
/// It is valid until the model gets another layer or loses one.
class FlatParameters {
 public:
  /// Moves the parameters to such buffers, unless they lie in some already. Throws ShapeError for
  /// parameters of different types.
  explicit FlatParameters(Parameters parameters);

  const Parameters& parameters() const { return parameters_; }
  /// All values, as a tensor of one dimension.
  const Tensor& values() const { return values_; }
  /// All gradients, as a tensor of one dimension. Those that are absent have old elements there.
  const Tensor& gradients() const { return gradients_; }
  /// The parameters in `copy`, which is a copy of values().
  Parameters in(const Tensor& copy) const;

  bool has_gradient(std::size_t index) const;
  void set_has_gradient(std::size_t index, bool present) const;
  /// Sets the elements of absent gradients to 0. The gradients stay absent.
  void zero_absent_gradients() const;

 private:
  Parameters parameters_;
  Tensor values_, gradients_;
};

}  // namespace unroll::nn
