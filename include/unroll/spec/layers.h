// Descriptions of layers: pure data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "unroll/core/api.h"
#include "unroll/core/nonlinearity.h"
#include "unroll/core/size2d.h"
#include "unroll/core/step_windows.h"

namespace unroll::spec {

enum class Cell { rnn, lstm, gru };

/// The part of a recurrent layer's outputs h_1 to h_T that the next layer reads.
enum class Readout {
  last,       ///< the final state, h_T; with two directions [forward, reverse]
  mean,       ///< (h_1 + ... + h_T) / T
  max,        ///< the largest h_t, element by element
  mean_last,  ///< [mean, last]
  every_step  ///< all h_t, as a sequence
};

/// Stacked recurrent layers and a readout. Dropout is not part of a model, because it acts only in
/// training. Zoneout is, because it also changes the outputs of a trained model.
struct RecurrentSpec {
  std::string name = "rnn";  ///< prefix of its weights: "rnn.weight_ih_l0"
  Cell cell = Cell::rnn;
  Nonlinearity nonlinearity = Nonlinearity::relu;  ///< for Cell::rnn only
  std::int64_t input_size = 0;                     ///< I
  std::int64_t hidden_size = 0;                    ///< H
  std::int64_t num_layers = 1;                     ///< L
  /// P, the size of an LSTM's projected h (Sak 2014); 0: no projection
  std::int64_t proj_size = 0;
  bool bidirectional = false;
  bool bias = true;
  bool layer_norm = false;  ///< for W_ih x, W_hh h and an LSTM's c (Ba 2016)
  /// Share of the old h and c that stays (Krueger 2017); zoneout_c is for an LSTM only.
  double zoneout_h = 0, zoneout_c = 0;
  bool learn_initial_state = false;  ///< starts from weights h_0 and c_0, not from zeros
  Readout readout = Readout::last;

  std::int64_t directions() const { return bidirectional ? 2 : 1; }                    ///< D
  std::int64_t state_size() const { return proj_size > 0 ? proj_size : hidden_size; }  ///< of h
  UNROLL_API std::int64_t gates() const;                                               ///< G
  /// Size of the readout: D times the state's size, twice that for mean_last.
  std::int64_t features() const {
    return directions() * state_size() * (readout == Readout::mean_last ? 2 : 1);
  }

  friend bool operator==(const RecurrentSpec&, const RecurrentSpec&) = default;
};

/// y = W x + b, for a vector or for each step of a sequence.
struct LinearSpec {
  std::string name = "fc";
  std::int64_t in_features = 0, out_features = 0;
  bool bias = true;

  friend bool operator==(const LinearSpec&, const LinearSpec&) = default;
};

enum class Activation {
  relu,
  tanh,
  sigmoid,
  symlog  ///< sign(x) log(1 + |x|): the logarithm, for numbers of both signs
};

/// An element-wise function.
struct ActivationSpec {
  Activation function = Activation::relu;

  friend bool operator==(const ActivationSpec&, const ActivationSpec&) = default;
};

/// A convolution over the steps of a sequence; see nn::Conv1d. The sequence that it gives may have
/// fewer or more steps: windows.outputs().
struct Conv1dSpec {
  std::string name = "conv";
  std::int64_t in_channels = 0, out_channels = 0;
  StepWindows windows = {};
  std::int64_t groups = 1;
  bool bias = true;

  friend bool operator==(const Conv1dSpec&, const Conv1dSpec&) = default;
};

/// A convolution of images; see nn::Conv2d.
struct Conv2dSpec {
  std::string name = "conv";
  std::int64_t in_channels = 0, out_channels = 0;
  Size2d kernel{}, stride{1, 1}, padding{};
  bool bias = true;

  friend bool operator==(const Conv2dSpec&, const Conv2dSpec&) = default;
};

/// The largest element of each window; see nn::MaxPool2d.
struct MaxPool2dSpec {
  Size2d kernel{}, stride{}, padding{};

  friend bool operator==(const MaxPool2dSpec&, const MaxPool2dSpec&) = default;
};

/// Turns (C, H, W) into a vector of C H W numbers.
struct FlattenSpec {
  friend bool operator==(const FlattenSpec&, const FlattenSpec&) = default;
};

/// Tokens become vectors: y_t = row x_t of the weight (num_embeddings, embedding_dim). It reads
/// tokens from 0 to num_embeddings - 1 and gives a sequence. See nn::Embedding.
struct EmbeddingSpec {
  std::string name = "embedding";
  std::int64_t num_embeddings = 0, embedding_dim = 0;

  friend bool operator==(const EmbeddingSpec&, const EmbeddingSpec&) = default;
};

/// y = (x - mean) / sqrt(variance + eps) * weight + bias over the features of a vector or of each
/// step of a sequence (Ba 2016). See nn::LayerNorm.
struct LayerNormSpec {
  std::string name = "norm";
  std::int64_t features = 0;
  double eps = 1e-5;               ///< more than 0, at most 1
  bool elementwise_affine = true;  ///< has a weight and, unless `bias` is false, a bias
  bool bias = true;                ///< false: a weight without a bias

  bool has_bias() const { return elementwise_affine && bias; }

  friend bool operator==(const LayerNormSpec&, const LayerNormSpec&) = default;
};

/// Scaling of the input inside the network: y = (x - mean) / std, for a vector or for each step of
/// a sequence. mean and std have one number, or one for each feature.
struct ScaleSpec {
  std::vector<double> mean{0}, std{1};

  friend bool operator==(const ScaleSpec&, const ScaleSpec&) = default;
};

/// A residual connection (He 2015): y = x + f(x), where f is the `over` layers right before this
/// one.
struct ResidualSpec {
  std::int64_t over = 1;

  friend bool operator==(const ResidualSpec&, const ResidualSpec&) = default;
};

using LayerSpec =
    std::variant<RecurrentSpec, LinearSpec, ActivationSpec, Conv2dSpec, MaxPool2dSpec, FlattenSpec,
                 ScaleSpec, ResidualSpec, EmbeddingSpec, LayerNormSpec, Conv1dSpec>;

// Names in files and on the command line. The functions *_named throw ValueError for an unknown
// name and list the known ones.

UNROLL_API std::string_view name_of(Nonlinearity f);
UNROLL_API std::string_view name_of(Cell cell);
UNROLL_API std::string_view name_of(Readout readout);
UNROLL_API std::string_view name_of(Activation function);
UNROLL_API Nonlinearity nonlinearity_named(std::string_view name);
UNROLL_API Cell cell_named(std::string_view name);
UNROLL_API Readout readout_named(std::string_view name);
UNROLL_API Activation activation_named(std::string_view name);

}  // namespace unroll::spec
