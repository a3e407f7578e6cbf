// Saving a module to a file, and loading it.
//
//     const Saved saved = save(model, "model.safetensors");
//     if (!saved.runnable) std::puts(saved.reason.c_str());
//     load(model, "model.safetensors");
#pragma once

#include <concepts>
#include <functional>
#include <string>

#include "unroll/core/api.h"
#include "unroll/nn/module.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll {

/// What save() wrote.
struct Saved {
  /// Whether the file holds a description: infer::Model, streams, unroll/c.h and the program run
  /// it. Otherwise it holds the weights alone, for load().
  bool runnable = false;
  std::string reason;  ///< why there is no description
};

/// A model's forward pass, from a batch to outputs.
using Forward = std::function<Tensor(const Tensor&)>;

/// save() with a forward pass of any name; without one only a description that `about` holds is
/// written.
UNROLL_API Saved save(nn::Module& model, const std::string& path, const Forward& forward,
                      spec::ModelSpec about = {});

/// Writes the weights, and a description of the model where one is certain, in one safetensors file
/// that replaces the old one at once.
///
/// `about` says what the layers do not tell: `input` (where it is left out: a series of numbers,
/// which go in as they are; the scaling of a series or a vector is done before forward()),
/// `output`, `dataset` and `classes`. Where it has layers, it is the whole description. Otherwise
/// the layers must be Rnn, Lstm, Gru, Linear and Dropout, direct children of the model, made in the
/// order in which they are used. What stands between them only forward(), or operator(), of the
/// model knows: save() runs it in evaluation mode on random numbers, two lengths of a sequence
/// where `about` gives none, and compares. The description is written if it gives these outputs,
/// and no other does: of the readouts in spec::Readout, and of no function, relu, tanh or sigmoid
/// between linear layers. Otherwise the weights are written alone, and Saved says why.
///
/// Throws FileError; FormatError for layers in `about` that the weights do not fit.
template <std::derived_from<nn::Module> Model>
Saved save(Model& model, const std::string& path, const spec::ModelSpec& about = {}) {
  if constexpr (requires(const Tensor& x) {
                  { model.forward(x) } -> std::convertible_to<Tensor>;
                })
    return save(
        model, path, [&](const Tensor& x) -> Tensor { return model.forward(x); }, about);
  else if constexpr (requires(const Tensor& x) {
                       { model(x) } -> std::convertible_to<Tensor>;
                     })
    return save(
        model, path, [&](const Tensor& x) -> Tensor { return model(x); }, about);
  else
    return save(model, path, Forward(), about);
}

/// Copies a file's weights into the model, by name; types are converted. A description in the file
/// is not looked at.
///
/// Throws FileError; FormatError naming the file and every weight that is missing, left over or of
/// another shape, or for weights that are NaN or infinite unless `allow_not_finite`. Nothing is
/// changed then.
UNROLL_API void load(nn::Module& model, const std::string& path, bool allow_not_finite = false);

}  // namespace unroll
