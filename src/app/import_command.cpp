// unroll import: makes a model of a file from PyTorch.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "app/commands.h"
#include "app/import_check.h"
#include "app/messages.h"
#include "core/file.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "import/architecture.h"
#include "import/import_model.h"
#include "run/output_file.h"

namespace unroll::app {
namespace {

struct ImportFlags {
  std::string file, architecture, key, out;
  std::vector<std::string> ignore;
  std::vector<std::string> check;  // the inputs and outputs of the original
  Tolerance tolerance;
  std::vector<Option> of_check;  // flags that need --check
};

/// Reasons why the outputs may differ.
std::string causes(const importer::StateDict& state) {
  const auto half = std::ranges::find_if(state.arrays, [](const io::ArrayView& array) {
    return array.type == io::ElementType::f16 || array.type == io::ElementType::bf16;
  });
  const std::string rounded =
      half == state.arrays.end()
          ? ""
          : fmt::format(
                "; {} is in {}: if the original ran before it was rounded, or summed in that "
                "type, give a larger --tolerance, such as 0.01",
                half->name, io::name_of(half->type));
  return "check the architecture's readout, activations and order of layers, and that the original "
         "was in eval() and its arrays are batch_first" +
         rounded;
}

/// The operation at the end of the original that the model leaves out.
std::string about_ending(importer::Ending ending) {
  if (ending == importer::Ending::none) return {};
  return fmt::format("the {} at its end is left out: the model's outputs are the logits\n",
                     name_of(ending));
}

/// With two directions "last" can mean h_n or output[:, -1], and both have the same shape.
void note_two_directions(const spec::ModelSpec& spec) {
  for (const spec::LayerSpec& layer : spec.layers)
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer);
        r && r->bidirectional && r->readout == spec::Readout::last)
      say_note(
          fmt::format("{} has two directions: \"last\" is h_n of both, not output[:, -1], which "
                      "can't be imported; --check shows whether it fits",
                      r->name));
}

void check_import_usage(const ImportFlags& flags) {
  for (const Option& option : flags.of_check)
    if (option.is_given() && flags.check.empty())
      throw UsageError(
          fmt::format("{} needs --check; add it, or leave {} out", option.name(), option.name()));
  for (const auto& [name, value] : {std::pair("--tolerance", flags.tolerance.absolute),
                                    {"--relative-tolerance", flags.tolerance.relative}})
    if (!std::isfinite(value) || value < 0)
      throw UsageError(fmt::format("{} {}, expected a finite number of at least 0", name, value));
}

/// Names every tensor of the file that is not used.
void say_what_was_taken(const importer::StateDict& state, const ImportFlags& flags) {
  for (const std::string& pattern : flags.ignore)
    if (std::ranges::none_of(state.ignored, [&](const std::string& name) {
          return importer::is_ignored(name, std::span(&pattern, 1));
        }))
      throw UsageError(
          fmt::format("--ignore {}: {} has no tensor of this name", pattern, flags.file));
  if (!state.note.empty()) say_note(state.note);
  if (!state.ignored.empty())
    say_note(fmt::format("ignored {} of the tensors: {}", state.ignored.size(),
                         fmt::join(state.ignored, ", ")));
  if (!state.no_tensors.empty())
    say_note(
        fmt::format("left out, as they are no tensors: {}", fmt::join(state.no_tensors, ", ")));
}

int work(const ImportFlags& flags) {
  check_import_usage(flags);
  run::check_output(flags.out, {flags.file, flags.architecture});
  for (const std::string& file : flags.check) run::check_output(flags.out, {file});
  const importer::StateDict state = importer::read_state_dict(flags.file, flags.key, flags.ignore);
  say_what_was_taken(state, flags);
  std::optional<std::string> architecture;
  if (!flags.architecture.empty()) {
    constexpr std::uint64_t kLongest = std::uint64_t{1} << 20;
    architecture = read_text("import", flags.architecture, kLongest);
  }
  importer::ImportedModel model;
  try {
    model = importer::import_model(state, architecture, flags.architecture);
  } catch (const importer::OpenQuestions& open) {
    say_error(open.what());
    tell("{}; where | stands between several, keep one:\n\n{}",
         architecture ? fmt::format("Add it to {}", printable(flags.architecture))
                      : std::string("Write it to a file, and give the file with --arch FILE.json"),
         open.architecture());
    return kUsage;
  }
  Comparison compared{true, ""};
  if (!flags.check.empty()) {
    const Original original{io::read_npy(flags.check[0]), io::read_npy(flags.check[1]),
                            flags.check[1]};
    compared = compare(model, original, flags.tolerance);
    if (!compared.good) {
      const std::string cause = likely_cause(model, original, flags.tolerance);
      fmt::print("{}", compared.text);
      say_error(fmt::format(
          "[import] the imported model and the original give different outputs, so {} was not "
          "written; {}",
          flags.out, cause.empty() ? causes(state) : cause));
      return kFailed;
    }
  }
  model.save(flags.out);
  std::size_t numbers = 0;
  for (const importer::Weight& weight : model.weights) numbers += weight.values.size();
  fmt::print("{}: all {} tensors used, {} numbers\n{}{}wrote {}; see: unroll inspect {}\n",
             printable(flags.file), state.arrays.size(), numbers, about_ending(model.ending),
             compared.text, printable(flags.out), shell_word(flags.out));
  if (flags.check.empty()) note_two_directions(model.spec);
  return kOk;
}

}  // namespace

void add_import(Command& program) {
  Command command = program.add("import", "Make a model from a PyTorch .pt or a .safetensors file",
                                "unroll import lstm.pt --arch lstm.json -o lstm.safetensors");
  const auto flags = std::make_shared<ImportFlags>();
  command.option("file", flags->file, "A state_dict that torch.save or safetensors wrote")
      .required()
      .file("FILE");
  command.option("-o,--out", flags->out, "The model to write, a .safetensors file")
      .required()
      .file();
  command
      .option("--arch", flags->architecture,
              "JSON file with layers, activations and readout, where the weights leave them open")
      .file();
  command
      .option("--key", flags->key,
              "Path to the state_dict in a file of several: model.state_dict, models.0")
      .value("PATH");
  command
      .option("--ignore", flags->ignore,
              "Leave out tensors with names like this (* and ?). May be repeated")
      .repeatable("PATTERN");
  command
      .option("--check", flags->check,
              "Compare with the original: run the inputs, and expect the outputs. "
              "The model is written only if they match")
      .values(2, 2)
      .file("IN.npy OUT.npy");
  flags->of_check = {command
                         .option("--tolerance", flags->tolerance.absolute,
                                 "Absolute difference that --check allows")
                         .shows_default(),
                     command
                         .option("--relative-tolerance", flags->tolerance.relative,
                                 "Difference that --check allows besides, as a share of |expected|")
                         .shows_default()};
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
