// What a layer is: pure data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "unroll/core/api.h"
#include "unroll/core/nonlinearity.h"
#include "unroll/core/size2d.h"

namespace unroll::spec {

enum class Cell { rnn, lstm, gru };

/// What of a recurrent layer's outputs, h_1 to h_T, the next layer gets.
enum class Readout {
  last,       ///< the final state, h_T; with two directions [that of the first, that of the second]
  mean,       ///< the sum of h_t / T
  max,        ///< the largest h_t, unit by unit
  mean_last,  ///< [mean, last]
  every_step  ///< all of them, as a sequence
};

/// Recurrent layers on top of each other, and a readout. What regularises training (dropout) is not
/// part of a model; zoneout is, because it also changes what a trained model does.
struct RecurrentSpec {
  std::string name = "rnn";  ///< of its weights: "rnn.weight_ih_l0"
  Cell cell = Cell::rnn;
  Nonlinearity nonlinearity = Nonlinearity::relu;  ///< of Cell::rnn alone
  std::int64_t input_size = 0;                     ///< I
  std::int64_t hidden_size = 0;                    ///< H
  std::int64_t num_layers = 1;                     ///< L
  std::int64_t proj_size = 0;  ///< P, the size of h where an LSTM projects it (Sak 2014); 0: H
  bool bidirectional = false;
  bool bias = true;
  bool layer_norm = false;  ///< of W_ih x, W_hh h and an LSTM's c (Ba 2016)
  /// How much of the old h and c stays (Krueger 2017); c's is an LSTM's.
  double zoneout_h = 0, zoneout_c = 0;
  bool learn_initial_state = false;  ///< the weights h_0 and c_0 instead of zeros
  Readout readout = Readout::last;

  std::int64_t directions() const { return bidirectional ? 2 : 1; }                    ///< D
  std::int64_t state_size() const { return proj_size > 0 ? proj_size : hidden_size; }  ///< of h
  UNROLL_API std::int64_t gates() const;                                               ///< G
  /// Of what is read out: D times the state's size, or twice as many for mean_last.
  std::int64_t features() const {
    return directions() * state_size() * (readout == Readout::mean_last ? 2 : 1);
  }

  friend bool operator==(const RecurrentSpec&, const RecurrentSpec&) = default;
};

/// y = W x + b, of a vector, or of each step of a sequence.
struct LinearSpec {
  std::string name = "fc";
  std::int64_t in_features = 0, out_features = 0;
  bool bias = true;

  friend bool operator==(const LinearSpec&, const LinearSpec&) = default;
};

enum class Activation { relu, tanh, sigmoid };

/// A function of each number.
struct ActivationSpec {
  Activation function = Activation::relu;

  friend bool operator==(const ActivationSpec&, const ActivationSpec&) = default;
};

/// A convolution as nn::Conv2d has it.
struct Conv2dSpec {
  std::string name = "conv";
  std::int64_t in_channels = 0, out_channels = 0;
  Size2d kernel{}, stride{1, 1}, padding{};
  bool bias = true;

  friend bool operator==(const Conv2dSpec&, const Conv2dSpec&) = default;
};

/// The largest element of each window, as nn::MaxPool2d has it.
struct MaxPool2dSpec {
  Size2d kernel{}, stride{}, padding{};

  friend bool operator==(const MaxPool2dSpec&, const MaxPool2dSpec&) = default;
};

/// (C, H, W) as a vector of C H W.
struct FlattenSpec {
  friend bool operator==(const FlattenSpec&, const FlattenSpec&) = default;
};

/// y_t = row x_t of the weight (num_embeddings, embedding_dim): tokens become vectors, as
/// nn::Embedding has it. It reads tokens from 0 to num_embeddings - 1 and gives a sequence.
struct EmbeddingSpec {
  std::string name = "embedding";
  std::int64_t num_embeddings = 0, embedding_dim = 0;

  friend bool operator==(const EmbeddingSpec&, const EmbeddingSpec&) = default;
};

/// y = (x - mean) / sqrt(variance + eps) * weight + bias over the features of a vector, or of each
/// step of a sequence, as nn::LayerNorm has it (Ba 2016).
struct LayerNormSpec {
  std::string name = "norm";
  std::int64_t features = 0;
  double eps = 1e-5;               ///< more than 0, at most 1
  bool elementwise_affine = true;  ///< whether there are a weight and a bias
  bool bias = true;                ///< false: with a weight, but no bias

  bool has_bias() const { return elementwise_affine && bias; }

  friend bool operator==(const LayerNormSpec&, const LayerNormSpec&) = default;
};

/// y = (x - mean) / std, of a vector, or of each step of a sequence: an input's scaling that
/// belongs to the network. One number each, or one for each feature.
struct ScaleSpec {
  std::vector<double> mean{0}, std{1};

  friend bool operator==(const ScaleSpec&, const ScaleSpec&) = default;
};

/// y = x + f(x), f being the `over` layers right before this one: a residual connection (He 2015).
struct ResidualSpec {
  std::int64_t over = 1;

  friend bool operator==(const ResidualSpec&, const ResidualSpec&) = default;
};

using LayerSpec = std::variant<RecurrentSpec, LinearSpec, ActivationSpec, Conv2dSpec, MaxPool2dSpec,
                               FlattenSpec, ScaleSpec, ResidualSpec, EmbeddingSpec, LayerNormSpec>;

// As in files and on the command line. Reading a name throws ValueError, listing what is known.

UNROLL_API std::string_view name_of(Nonlinearity f);
UNROLL_API std::string_view name_of(Cell cell);
UNROLL_API std::string_view name_of(Readout readout);
UNROLL_API std::string_view name_of(Activation function);
UNROLL_API Nonlinearity nonlinearity_named(std::string_view name);
UNROLL_API Cell cell_named(std::string_view name);
UNROLL_API Readout readout_named(std::string_view name);
UNROLL_API Activation activation_named(std::string_view name);

}  // namespace unroll::spec
