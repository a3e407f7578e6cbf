// What a model is: pure data, stored in the metadata of model.safetensors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/core/nonlinearity.h"

namespace unroll::spec {

/// The description that everything about a model starts from: a recurrent layer over the rows of an
/// image, or the steps of a series, and a linear readout of the last state.
struct ModelSpec {
  static constexpr int version = 1;                      ///< of this format
  static constexpr const char* metadata_key = "unroll";  ///< in model.safetensors

  std::string recurrent = "rnn";  ///< the layers' names in the weights: "rnn.weight_ih_l0"
  std::string readout = "fc";
  std::int64_t input_size = 0;  ///< I
  std::int64_t hidden_size = 0;
  std::int64_t num_layers = 1;
  bool bias = true;
  Nonlinearity nonlinearity = Nonlinearity::relu;
  std::int64_t outputs = 0;  ///< C, the logits

  // What the numbers that go in and come out mean.
  std::int64_t steps = 0;                ///< T in training; 0: any
  double input_mean = 0, input_std = 1;  ///< x = (pixel / 255 - mean) / std
  std::string dataset;                   ///< what it was trained on; may be empty
  std::vector<std::string> classes;      ///< a name for each output; may be empty

  friend bool operator==(const ModelSpec&, const ModelSpec&) = default;
};

using Sizes = std::vector<std::int64_t>;

/// The weights a model has, by name in order, with their shapes.
std::vector<std::pair<std::string, Sizes>> weights_of(const ModelSpec& spec);

/// Lists all differences between what a model needs and what there is: missing, left over, other
/// shapes; empty where they agree.
std::string differences(const ModelSpec& spec, const std::map<std::string, Sizes>& weights);

/// Reads the architecture off a bare state_dict's names and shapes. What can't be read off a file
/// stays as `spec` had it (nonlinearity, input scaling).
/// Throws FormatError naming what is missing or not understood.
ModelSpec from_weights(const std::map<std::string, Sizes>& weights, ModelSpec spec);

std::string to_json(const ModelSpec& spec);
/// Throws FormatError for anything but a complete, plausible description of this version or older.
ModelSpec from_json(std::string_view text);

std::string_view name_of(Nonlinearity f);           ///< "tanh", "relu"
Nonlinearity nonlinearity_named(std::string_view);  ///< throws ValueError

}  // namespace unroll::spec
