// The samples of the test part that a run keeps, so that a report can show them without the data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "train/evaluation.h"
#include "unroll/tensor/tensor.h"

namespace unroll::run {

/// Chosen samples: the worst mistakes, some of each cell of the confusion matrix, and the first
/// ones. S is their number.
struct Samples {
  std::vector<std::int64_t> indices;  ///< in the test part, ascending
  /// What the model reads: (S, T, I), (S, I), (S, C, H, W), or tokens (S, T) of i64. Images are
  /// pixels from 0 to 255, before the scaling, (S, H, W) of f32, in the order of the file.
  Tensor inputs;
  bool pixels = false;
  std::vector<std::int64_t> lengths;  ///< steps of each; empty: all have T
  Tensor targets;                     ///< as data::Examples::targets
  Tensor outputs;                     ///< (S, C) or (S, T, C) of f32
  std::vector<double> losses;         ///< of each sample; the sum over its answers
  std::vector<std::int64_t> worst;    ///< positions of the worst mistakes, the worst first
  std::optional<train::ConfusionMatrix> confusion;
  std::vector<std::string> classes;  ///< names; may be empty
  /// The states of the first samples, (K, T, H) of f32, by the layer's name as in train::Inside.
  /// Empty if they are large.
  std::map<std::string, Tensor> states;
};

/// A safetensors file. The same samples have the same bytes.
std::vector<std::byte> to_bytes(const Samples& samples);
/// Reads one. Throws FormatError for content that does not fit together; `name` is for its text.
Samples samples_from(std::vector<std::byte> bytes, const std::string& name);

}  // namespace unroll::run
