// unroll import: a model that PyTorch trained, as one that runs here.
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
  std::vector<std::string> check;  // inputs, and what the original made of them
  Tolerance tolerance;
  std::vector<Option> of_check;  // flags that are nothing without it
};

/// What an import whose outputs differ may be due to.
std::string causes(const importer::StateDict& state) {
  const auto half = std::ranges::find_if(state.arrays, [](const io::ArrayView& array) {
    return array.type == io::ElementType::f16 || array.type == io::ElementType::bf16;
  });
  const std::string rounded =
      half == state.arrays.end()
          ? ""
          : fmt::format(
                "; {} is in {}: if the original was run before it was rounded to that, or "
                "with its sums in it, allow for it with --tolerance, 0.01 for instance",
                half->name, io::name_of(half->type));
  return "compare the architecture's readout, activations and order of layers, and whether the "
         "original was in eval() and its arrays batch_first" +
         rounded;
}

/// What the original does and the model does not.
std::string about_ending(importer::Ending ending) {
  if (ending == importer::Ending::none) return {};
  return fmt::format(
      "the {} at its end is left out: the model's outputs are the logits before it\n",
      name_of(ending));
}

/// Two things are called the last output of two directions, and fit in shape.
void note_two_directions(const spec::ModelSpec& spec) {
  for (const spec::LayerSpec& layer : spec.layers)
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer);
        r && r->bidirectional && r->readout == spec::Readout::last)
      say_note(
          fmt::format("{} has two directions, of which \"last\" is h_n of both; output[:, -1] "
                      "is another thing and can't be imported; --check tells which it is",
                      r->name));
}

void check_import_usage(const ImportFlags& flags) {
  for (const Option& option : flags.of_check)
    if (option.is_given() && flags.check.empty())
      throw UsageError(fmt::format("{} is for --check, which was not given", option.name()));
  for (const auto& [name, value] : {std::pair("--tolerance", flags.tolerance.absolute),
                                    {"--relative-tolerance", flags.tolerance.relative}})
    if (!std::isfinite(value) || value < 0)
      throw UsageError(fmt::format("{} {}, expected a number that is not below 0", name, value));
}

/// What of the file is not used although it is there: nothing is left out in silence.
void say_what_was_taken(const importer::StateDict& state, const ImportFlags& flags) {
  for (const std::string& pattern : flags.ignore)
    if (std::ranges::none_of(state.ignored, [&](const std::string& name) {
          return importer::is_ignored(name, std::span(&pattern, 1));
        }))
      throw UsageError(
          fmt::format("--ignore {}: {} has no tensor of that name", pattern, flags.file));
  if (!state.note.empty()) say_note(state.note);
  if (!state.ignored.empty())
    say_note(fmt::format("ignored {} of the tensors: {}", state.ignored.size(),
                         fmt::join(state.ignored, ", ")));
  if (!state.no_tensors.empty())
    say_note(
        fmt::format("beside the tensors, and left out: {}", fmt::join(state.no_tensors, ", ")));
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
    tell("{}, with one choice where | stands between several:\n\n{}",
         architecture ? fmt::format("Say it in {}", printable(flags.architecture))
                      : std::string("Say it in a file and give that with --arch FILE.json"),
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
          "[import] the imported model gives other outputs than the original, so {} was not "
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
  Command command = program.add(
      "import", "Make a model of a PyTorch .pt or a .safetensors.",
      "unroll import lstm.pt --arch lstm.json -o model.safetensors --check in.npy out.npy");
  const auto flags = std::make_shared<ImportFlags>();
  command.option("file", flags->file, "What torch.save or safetensors wrote of a state_dict")
      .required();
  command.option("-o,--out", flags->out, "The model.safetensors to write").required();
  command.option("--arch", flags->architecture,
                 "JSON: layers, activations, readout; what the weights don't tell");
  command.option("--key", flags->key,
                 "Path to the weights in a .pt that holds several dictionaries: "
                 "model.state_dict, models.0");
  command
      .option("--ignore", flags->ignore,
              "Leave out tensors whose names match this pattern (* and ?); may be repeated")
      .repeatable("PATTERN");
  command
      .option("--check", flags->check,
              "Two .npy files, inputs and the original's outputs: compare, and write the model "
              "only if they agree")
      .values(2, 2);
  flags->of_check = {
      command
          .option("--tolerance", flags->tolerance.absolute,
                  "--check allows a difference of this, plus the relative tolerance times "
                  "|expected|")
          .shows_default(),
      command
          .option("--relative-tolerance", flags->tolerance.relative,
                  "--check allows this times |expected|, plus the tolerance")
          .shows_default()};
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
