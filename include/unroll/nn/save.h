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

/// The result of save().
struct Saved {
  /// Whether the file holds a description, so that infer::Model, streams, unroll/c.h and the
  /// program can run it. Otherwise it holds only the weights, for load().
  bool runnable = false;
  std::string reason;  ///< why there is no description
};

/// A model's forward pass, from a batch to outputs.
using Forward = std::function<Tensor(const Tensor&)>;

/// save() with any function as the forward pass. If `forward` is empty, a description is written
/// only if `about` has layers.
UNROLL_API Saved save(nn::Module& model, const std::string& path, const Forward& forward,
                      spec::ModelSpec about = {});

/// Writes the weights to a safetensors file, with a description of the model if that is certain.
/// The write is atomic: the path holds the old file or the new one.
///
/// `about` holds facts that the layers do not: `input`, `output`, `dataset` and `classes`. The
/// default input is a series of numbers without scaling. The scaling of a series or a vector is
/// done before forward(). If `about` has layers, it is the whole description.
///
/// Otherwise the layers must be Rnn, Lstm, Gru, Linear and Dropout, direct children of the model,
/// made in the order of their use. Only the model's forward(), or operator(), knows the readouts
/// and the functions between linear layers. So save() runs it in evaluation mode on random numbers,
/// with two sequence lengths unless `about` gives one. It compares the outputs with those of every
/// candidate: each readout in spec::Readout; no function, relu, tanh or sigmoid. The description is
/// written if exactly one candidate gives these outputs. Otherwise only the weights are written,
/// and Saved::reason says why.
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

/// Copies a file's weights to the model's parameters of the same names; converts types. Ignores a
/// description in the file.
///
/// Throws FileError, and FormatError naming the file and every weight that is missing, left over or
/// of another shape. Throws FormatError for weights that are NaN or infinite, unless
/// `allow_not_finite`. After an error nothing is changed.
UNROLL_API void load(nn::Module& model, const std::string& path, bool allow_not_finite = false);

}  // namespace unroll
