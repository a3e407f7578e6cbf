// unroll import: a model that PyTorch trained, as one that runs here.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "app/array_index.h"
#include "app/array_run.h"
#include "app/messages.h"
#include "app/verbs.h"
#include "core/file.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "import/architecture.h"
#include "import/import_model.h"
#include "run/output_file.h"

namespace unroll::app {
namespace {

struct Flags {
  std::string file, architecture, key, out;
  std::vector<std::string> ignore;
  std::vector<std::string> check;  // inputs, and what the original made of them
  double tolerance = 1e-5;
  const CLI::Option* tolerance_option = nullptr;
};

/// A shape without what is 1, which PyTorch's users add and leave out as they like.
std::vector<std::int64_t> squeezed(std::vector<std::int64_t> shape) {
  std::erase(shape, 1);
  return shape;
}

/// How far off the furthest output is.
struct Comparison {
  bool good = false;
  std::string text;
};

/// Runs the model on the inputs and compares.
Comparison check(const importer::ImportedModel& imported, const Flags& flags) {
  const io::NpyArray theirs = io::read_npy(flags.check[1]);
  const Outputs<float> ours = run_array(imported.model(), io::read_npy(flags.check[0]));
  if (squeezed(theirs.shape) != squeezed(ours.shape))
    throw ShapeError(
        "import",
        fmt::format("--check: {} has shape [{}], the model's outputs have [{}]", flags.check[1],
                    fmt::join(theirs.shape, ", "), fmt::join(ours.shape, ", ")));
  const auto expected = io::floats_of<double>(theirs.view());
  double largest = 0, size = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    double difference = std::abs(static_cast<double>(ours.values[i]) - expected[i]);
    if (std::isnan(difference)) difference = std::numeric_limits<double>::infinity();
    size = std::max(size, std::abs(expected[i]));
    if (difference > largest) {
      largest = difference;
      at = i;
    }
  }
  const bool good = largest <= flags.tolerance;
  return {good, fmt::format("check: {} outputs of up to {:.4g}; the largest difference is {:.3g}, "
                            "at {}: {:.9g} here, {:.9g} in {}: {} {:g}\n",
                            expected.size(), size, largest, index_text(at, ours.shape),
                            ours.values[at], expected[at], printable(flags.check[1]),
                            good ? "within" : "MORE THAN", flags.tolerance)};
}

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

void check_usage(const Flags& flags) {
  if (flags.tolerance_option->count() > 0 && flags.check.empty())
    throw UsageError("--tolerance is for --check, which was not given");
  if (!std::isfinite(flags.tolerance) || flags.tolerance < 0)
    throw UsageError(
        fmt::format("--tolerance {}, expected a number that is not below 0", flags.tolerance));
}

/// What of the file is not used although it is there: nothing is left out in silence.
void say_what_was_taken(const importer::StateDict& state, const Flags& flags) {
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

int work(const Flags& flags) {
  check_usage(flags);
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
    fmt::print(stderr, "{}, with one choice where | stands between several:\n\n{}",
               architecture ? fmt::format("Say it in {}", printable(flags.architecture))
                            : std::string("Say it in a file and give that with --arch FILE.json"),
               open.architecture());
    return kUsage;
  }
  Comparison compared{true, ""};
  if (!flags.check.empty()) compared = check(model, flags);
  if (!compared.good) {
    fmt::print("{}", compared.text);
    say_error(
        fmt::format("[import] the imported model gives other outputs than the original, so "
                    "{} was not written; {}",
                    flags.out, causes(state)));
    return kFailed;
  }
  model.save(flags.out);
  std::size_t numbers = 0;
  for (const importer::Weight& weight : model.weights) numbers += weight.values.size();
  fmt::print("{}: all {} tensors used, {} numbers\n{}wrote {}; see: unroll inspect {}\n",
             printable(flags.file), state.arrays.size(), numbers, compared.text,
             printable(flags.out), shell_word(flags.out));
  return kOk;
}

}  // namespace

void add_import(CLI::App& program, Work& chosen) {
  CLI::App* verb = add_verb(
      program, "import", "Make a model of a PyTorch .pt or a .safetensors.",
      "unroll import lstm.pt --arch lstm.json -o model.safetensors --check in.npy out.npy");
  const auto flags = std::make_shared<Flags>();
  verb->add_option("file", flags->file, "What torch.save or safetensors wrote of a state_dict")
      ->required();
  verb->add_option("-o,--out", flags->out, "The model.safetensors to write")->required();
  verb->add_option("--arch", flags->architecture,
                   "JSON: layers, activations, readout; what the weights don't tell");
  verb->add_option("--key", flags->key,
                   "Path to the weights in a .pt that holds several dictionaries: "
                   "model.state_dict, models.0");
  verb->add_option("--ignore", flags->ignore,
                   "Leave out tensors whose names match this pattern (* and ?); may be repeated")
      ->type_name("PATTERN")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->add_option(
          "--check", flags->check,
          "Two .npy files, inputs and the original's outputs: compare, and write the model "
          "only if they agree")
      ->expected(2);
  flags->tolerance_option = verb->add_option("--tolerance", flags->tolerance,
                                             "The largest difference that --check allows")
                                ->capture_default_str();
  verb->callback([flags, &chosen] { chosen = [flags] { return work(*flags); }; });
}

}  // namespace unroll::app
