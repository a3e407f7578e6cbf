// The models that commands work on: a run's folder, its model.safetensors, or a bare state_dict.
#pragma once

#include <string>

#include "app/command.h"
#include "unroll/data/loader.h"
#include "unroll/infer/model.h"
#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::app {

struct ModelFlags {
  std::string path;
  std::string activation;  // for a bare state_dict
  std::string normalize;
  bool allow_not_finite = false;

  void add_to(Command& command);
};

struct LoadedModel {
  std::string path;  // of the file
  spec::ModelSpec spec;
  io::Safetensors file;
  spec::Assumed assumed;   // of a bare state_dict
  bool described = false;  // by the file itself, not read off the weights

  bool is_f64() const;
  std::string dataset() const { return spec.dataset.empty() ? "mnist" : spec.dataset; }

  /// Calls f with the model in the precision of its weights.
  template <class F>
  auto run(F&& f) const {
    return is_f64() ? f(infer::Model<double>(spec, file.arrays()))
                    : f(infer::Model<float>(spec, file.arrays()));
  }
};

/// Throws FileError, FormatError (listing all that does not fit), and UsageError where the file
/// leaves something open that a flag must say, or a flag contradicts the file. Weights that are NaN
/// or infinite are refused unless a flag allows them, and then said on stderr. One that is not
/// `to_run` but to be looked at may leave its activation open, and have such weights.
LoadedModel load_model(const ModelFlags& flags, bool to_run = true);

/// Throws UsageError for a model that reads no pixels, with the way to say how they become what it
/// reads.
void need_pixels(const LoadedModel& model);

/// The same for a model that is given images. A bare state_dict then reads their pixels in [0, 1],
/// as torchvision's ToTensor gives them, and a note on stderr says so.
void take_images(LoadedModel& model);

/// Notes on stderr what a bare state_dict does not say and was taken for granted; load_model does
/// for a model `to_run`.
void note_what_is_assumed(const LoadedModel& model);

}  // namespace unroll::app
