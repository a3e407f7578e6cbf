// Models in files: Unroll's own, and those that PyTorch trained (src/import).
#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "import/import_model.h"
#include "model.h"
#include "train/checkpoint.h"
#include "unroll/core/error.h"

namespace unroll::python {
namespace {

namespace nb = nanobind;
using namespace nb::literals;

/// What a file needs to become a model, beside its content.
struct Choices {
  std::optional<std::string> architecture;
  std::string architecture_name;  // for errors
  std::string key;
  std::vector<std::string> ignore;
  bool allow_not_finite = false;
};

Model model_of(const importer::ImportedModel& imported) {
  std::vector<io::ArrayView> views;
  for (const importer::Weight& weight : imported.weights) views.push_back(weight.view());
  return {imported.spec, views};
}

Model load(const std::string& path, const Choices& choices) {
  importer::StateDict state = importer::read_state_dict(path, choices.key, choices.ignore);
  if (state.file && state.file->metadata().contains(train::checkpoint_key))
    throw FormatError("load", fmt::format("{} is a checkpoint, not a model; finish its run: unroll "
                                          "train --resume FOLDER",
                                          path));
  if (!state.file || !state.file->metadata().contains(spec::ModelSpec::metadata_key))
    return model_of(importer::import_model(state, choices.architecture, choices.architecture_name));
  if (choices.architecture || !choices.ignore.empty())
    throw ValueError("load", fmt::format("{} describes itself; leave arch and ignore out", path));
  return described_model(std::move(*state.file), path, choices.allow_not_finite);
}

}  // namespace

void bind_import(nb::module_& module) {
  module.def(
      "load",
      [](const std::string& path, std::optional<std::string> architecture,
         std::string architecture_name, std::string key, std::vector<std::string> ignore,
         bool allow_not_finite) {
        const nb::gil_scoped_release unlocked;
        return load(path, {std::move(architecture), std::move(architecture_name), std::move(key),
                           std::move(ignore), allow_not_finite});
      },
      "path"_a, "architecture"_a.none(), "architecture_name"_a, "key"_a, "ignore"_a,
      "allow_not_finite"_a);
}

}  // namespace unroll::python
