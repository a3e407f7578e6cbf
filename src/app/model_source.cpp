#include "app/model_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "app/messages.h"
#include "app/set_summary.h"
#include "app/usage_error.h"
#include "core/file.h"
#include "core/list_text.h"
#include "core/shell_word.h"
#include "data/name_order.h"
#include "data/source_traits.h"
#include "run/file_names.h"
#include "run/manifest.h"
#include "train/checkpoint.h"
#include "train/setting.h"
#include "train/settings.h"

namespace unroll::app {

void ModelFlags::add_to(Command& command) {
  command.option("model", path, "Folder of a run, model.safetensors, or a bare state_dict")
      .required()
      .file("MODEL");
  command
      .option("--activation", activation,
              "Activation of a bare state_dict, whose file does not state it")
      .choices(train::setting_of("activation").choices());
  command
      .option("--normalize", normalize,
              "Pixels for a bare state_dict: none ([0,1]), or mean and standard deviation. "
              "Default: [0,1] for images; other numbers stay as they are")
      .value("none|MEAN,STD");
  command.flag("--allow-not-finite", allow_not_finite, "Accept weights that are NaN or infinite");
}

bool LoadedModel::is_f64() const {
  return std::ranges::any_of(file.arrays(),
                             [](const io::ArrayView& a) { return a.type == io::ElementType::f64; });
}

data::SourceOptions LoadedModel::source_options(bool targets) const {
  data::SourceOptions options{.images = {.classes = spec::outputs_of(spec)}, .model = spec.input};
  if (!spec.table) return options;
  options.series = data::settings_for(spec, targets);
  options.series_encoding.model = spec;
  return options;
}

namespace {

/// Refuses a folder of --seeds, --folds or --sweep, whose runs have folders of their own.
void refuse_several_runs(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::exists(path + "/" + run::model_file, ignored) ||
      !fs::exists(path + "/" + kSummaryFile, ignored))
    return;
  std::vector<std::string> runs;
  for (fs::directory_iterator entry(path, ignored), end; !ignored && entry != end;
       entry.increment(ignored))
    if (std::error_code fault; fs::exists(entry->path() / run::model_file, fault))
      runs.push_back(entry->path().filename());
  if (runs.empty())
    throw UsageError(fmt::format("{} holds several runs, of which none has a model yet", path));
  data::sort_names(runs);
  throw UsageError(fmt::format("{} holds several runs; name one of them, as in {}", path,
                               shell_word((fs::path(path) / runs.front()).string())));
}

/// Checks a file against the run's manifest if that lists it. Follows a link that was named, but no
/// link inside a folder that was named.
io::Safetensors read_model(const std::string& path, bool in_a_folder) {
  const std::filesystem::path file(path);
  const std::string name = file.filename();
  const std::string parent = file.has_parent_path() ? file.parent_path().string() : ".";
  std::error_code ignored;
  if (std::filesystem::is_directory(parent, ignored)) {
    const Folder folder("model", parent);
    const auto manifest = run::Manifest::read(folder);
    if (manifest && manifest->lists(name) && (folder.has(name) || !manifest->may_be_missing(name)))
      return io::Safetensors::parse(manifest->load(folder, name), path);
    if (manifest && name == run::model_file)
      throw FormatError("model", fmt::format("{} has no model yet, as its training did not end; "
                                             "continue it: unroll train --resume {}",
                                             parent, shell_word(parent)));
    if (in_a_folder) const InputFile regular("model", folder, name);
  }
  return io::Safetensors::read(path);
}

/// One weight that is NaN can make every output NaN.
void check_finite(const LoadedModel& model, bool allowed) {
  ListText found;
  for (const io::ArrayView& array : model.file.arrays())
    if (const std::size_t count = io::count_not_finite(array); count > 0)
      found.add(fmt::format("{} of {} in {}", count, array.data.size() / io::size_of(array.type),
                            array.name));
  if (found.empty()) return;
  const std::string what =
      fmt::format("{} has weights that are NaN or infinite ({})", model.path, found.text());
  if (!allowed)
    throw FormatError("model", what +
                                   "; train it again with a smaller --lr, or accept it with "
                                   "--allow-not-finite");
  say_note(what);
}

/// Refuses weights that do not fit the model: types other than floats, and the wrong names and
/// shapes in `misfits`.
void check_fits(const LoadedModel& model, const std::string& misfits) {
  ListText found;
  if (!misfits.empty()) found.add(misfits);
  for (const io::ArrayView& array : model.file.arrays())
    if (!io::is_floating(array.type))
      found.add(fmt::format("{} has elements of type {}, expected floats", array.name,
                            io::name_of(array.type)));
  if (!found.empty())
    throw FormatError("model", fmt::format("{}: {}; save the model again as it was trained",
                                           model.path, found.text("; ")));
}

std::map<std::string, spec::Sizes> shapes_of(const io::Safetensors& file) {
  std::map<std::string, spec::Sizes> shapes;
  for (const auto& array : file.arrays()) shapes[array.name] = array.shape;
  return shapes;
}

}  // namespace

void note_what_is_assumed(const LoadedModel& model) {
  if (model.described) return;
  for (const spec::LayerSpec& layer : model.spec.layers)
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer);
        r && r->readout != spec::Readout::every_step)
      say_note(
          fmt::format("{} is a bare state_dict, which does not state the readout of {}: "
                      "assumed is {}; for another readout use unroll import",
                      model.path, r->name,
                      r->readout == spec::Readout::last
                          ? "\"last\", its final state"
                          : "\"mean_last\", the mean of its states beside the final one"));
}

void need_pixels(const LoadedModel& model) {
  if (spec::pixels_of(model.spec.input)) return;
  const std::string arrays =
      fmt::format("in a .npy: unroll predict {} x.npy --out y.npy", shell_word(model.path));
  if (std::holds_alternative<spec::TokenInput>(model.spec.input))
    throw UsageError(
        fmt::format("{} reads tokens, not pixels; give whole numbers {}", model.path, arrays));
  if (!data::source_traits(model.spec.dataset).pixels)
    throw UsageError(
        fmt::format("{} is a model for {}, which has no images to classify; test it with: unroll "
                    "eval {}",
                    model.path, model.dataset(), shell_word(model.path)));
  throw UsageError(fmt::format(
      "{} reads numbers and does not state how to scale pixels; {}, or give numbers {}", model.path,
      model.described ? "import it again with \"input\" in its architecture"
                      : "give --normalize none (pixels in [0,1]) or --normalize MEAN,STD",
      arrays));
}

void take_images(LoadedModel& model) {
  if (!model.described && !spec::pixels_of(model.spec.input)) {
    model.assumed.pixels = true;
    model.spec = spec::from_weights(shapes_of(model.file), model.assumed);
    say_note(
        fmt::format("{} is a bare state_dict, which does not state how to scale pixels: assumed is "
                    "[0, 1], as in torchvision's ToTensor; otherwise give --normalize MEAN,STD",
                    model.path));
  }
  need_pixels(model);
}

LoadedModel load_model(const ModelFlags& flags, bool to_run) {
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(flags.path, ignored);
  if (is_folder) refuse_several_runs(flags.path);
  const std::string path = is_folder ? flags.path + "/" + run::model_file : flags.path;
  LoadedModel model{path, {}, read_model(path, is_folder), {}};
  if (model.file.metadata().contains(train::checkpoint_key))
    throw FormatError("model", fmt::format("{} is a checkpoint, not a model; continue its run: "
                                           "unroll train --resume FOLDER",
                                           path));
  const auto description = model.file.metadata().find(spec::ModelSpec::metadata_key);
  model.described = description != model.file.metadata().end();
  const auto shapes = shapes_of(model.file);
  if (model.described) {
    if (!flags.activation.empty() || !flags.normalize.empty())
      throw UsageError(
          fmt::format("{} describes itself; leave --activation and --normalize out", path));
  }
  spec::Assumed& assumed = model.assumed;
  if (!flags.activation.empty()) assumed.activation = spec::activation_named(flags.activation);
  if (!flags.normalize.empty()) {
    const data::Normalization n = train::parse_normalization(flags.normalize);
    assumed.pixels = true;
    assumed.mean = n.mean;
    assumed.std = n.std;
  }
  try {
    model.spec = model.described ? spec::from_json(description->second)
                                 : spec::from_weights(shapes, assumed);
  } catch (const FormatError& error) {
    throw FormatError("model", fmt::format("{}: {}", path, error.what()));
  }
  check_fits(model, spec::differences(model.spec, shapes));
  check_finite(model, flags.allow_not_finite || !to_run);
  if (model.described) return model;
  if (flags.activation.empty() && to_run && spec::has_activation(model.spec))
    throw UsageError(
        fmt::format("{} is a bare state_dict, which does not state whether its layers "
                    "use relu or tanh; give --activation relu or --activation tanh",
                    path));
  if (to_run) note_what_is_assumed(model);
  return model;
}

}  // namespace unroll::app
