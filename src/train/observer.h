// Hears the values that flow through a network, for looking inside it.
#pragma once

#include <cstdint>
#include <string>

#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// Hears every layer's values in the order of the layers. `layer` is the prefix of the layer's
/// weights: "rnn", "fc".
class Observer {
 public:
  virtual ~Observer() = default;

  /// The output of a layer with weights that has no states of its own, or of a recurrent one that
  /// is bidirectional or stacked: (N, ..., features), for convolutions (N, C, H, W).
  virtual void output(const std::string& layer, const Tensor& y) = 0;
  /// The same after the activation function that follows.
  virtual void activated(const std::string& layer, const Tensor& y, bool relu) = 0;
  /// The states h (N, H) of a recurrent layer in one direction after step t of T. Returns the
  /// tensor that the network goes on with, which has the same numbers.
  virtual Tensor states(const std::string& layer, std::int64_t t, const Tensor& h, bool relu) = 0;
};

}  // namespace unroll::train
