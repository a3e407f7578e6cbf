// Loads the model of a command: a run's folder, its model.safetensors, or a bare state_dict.
#pragma once

#include <string>

#include "app/command.h"
#include "data/open_source.h"
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
  bool described = false;  // the file has a description; otherwise the weights determine it

  bool is_f64() const;
  std::string dataset() const { return spec.dataset.empty() ? "mnist" : spec.dataset; }
  /// How data is read for this model, with as many classes as it has outputs. All series of a file
  /// are its test part; without `targets` their targets are not read.
  data::SourceOptions source_options(bool targets = true) const;

  /// Calls f with the model in the precision of its weights.
  template <class F>
  auto run(F&& f) const {
    return is_f64() ? f(infer::Model<double>(spec, file.arrays()))
                    : f(infer::Model<float>(spec, file.arrays()));
  }
};

/// Refuses weights that are NaN or infinite unless a flag allows them; then a note on stderr lists
/// them. A model that is not `to_run`, only to be shown, may have such weights, and may leave its
/// activation open. Throws FileError; FormatError with everything that does not fit; UsageError if
/// a flag is missing that the file needs, or contradicts the file.
LoadedModel load_model(const ModelFlags& flags, bool to_run = true);

/// Throws UsageError for a model that reads no pixels; the message names the flag that helps.
void need_pixels(const LoadedModel& model);

/// As need_pixels, for a model that gets images. A bare state_dict then reads pixels in [0, 1], as
/// from torchvision's ToTensor, and a note on stderr says so.
void take_images(LoadedModel& model);

/// Notes on stderr the properties of a bare state_dict that were assumed. load_model calls it for a
/// model `to_run`.
void note_what_is_assumed(const LoadedModel& model);

}  // namespace unroll::app
