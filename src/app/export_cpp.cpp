#include "app/export_cpp.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <vector>

#include "app/commands.h"
#include "app/data_set_names.h"
#include "app/messages.h"
#include "core/file.h"
#include "core/printable.h"
#include "data/catalogue.h"
#include "data/source_traits.h"
#include "export/cpp_header.h"
#include "export/int8.h"
#include "train/evaluate.h"
#include "unroll/core/random.h"
#include "unroll/infer/stream.h"

namespace unroll::app {
namespace {

/// The name that was given, or the name of the file without its ending.
std::string name_of(const CppFlags& flags, const std::string& out) {
  if (!flags.name.empty()) return flags.name;
  const std::string stem = std::filesystem::path(out).stem();
  if (!exporter::is_cpp_name(stem))
    throw UsageError(
        fmt::format("{} gives no name of a C++ namespace; give one: --name NAME", out));
  return stem;
}

struct Pair {
  infer::Model<float> floats, int8;
};

std::string comparison(const std::string& set, const train::Evaluation& floats,
                       const train::Evaluation& int8) {
  std::string text = fmt::format("int8 on {}: ", printable(set));
  for (std::size_t i = 0; i < int8.metrics.size(); ++i) {
    const train::Metric &now = int8.metrics[i], &before = floats.metrics[i];
    text +=
        now.is_share()
            ? fmt::format("{} {:.2f} % instead of {:.2f} % ({} of {} correct instead of {}), ",
                          now.name, now.value, before.value, now.correct, now.total, before.correct)
            : fmt::format("{} {:.4f} instead of {:.4f}, ", now.name, now.value, before.value);
  }
  return text + fmt::format("loss {:.4f} instead of {:.4f}\n", int8.loss, floats.loss);
}

/// Without data: the differences between outputs on random input.
std::string compare_on_random_input(const Pair& models) {
  constexpr std::size_t kSequences = 16, kSteps = 100;
  std::vector<float> in(kSteps * kSequences * models.floats.inputs());
  Generator random(0);
  if (const auto* tokens = std::get_if<spec::TokenInput>(&models.floats.description().input))
    for (float& token : in)
      token = static_cast<float>(random.next_u32() % static_cast<std::uint32_t>(tokens->tokens));
  else
    random.normal(in, 0, 1);
  std::vector<float> floats(kSteps * kSequences * models.floats.outputs()), int8(floats.size());
  models.floats.stream(kSequences).process(in, floats, kSteps);
  models.int8.stream(kSequences).process(in, int8, kSteps);
  float apart = 0, largest = 0;
  for (std::size_t i = 0; i < floats.size(); ++i) {
    apart = std::max(apart, std::abs(int8[i] - floats[i]));
    largest = std::max(largest, std::abs(floats[i]));
  }
  return fmt::format(
      "int8 on random input, {} sequences of {} steps: outputs differ by up to {:.3g}, the "
      "largest is {:.3g}\n",
      kSequences, kSteps, apart, largest);
}

/// The data set that was named, or else the one the model was trained on, if this machine has it.
std::shared_ptr<const data::Source> find_data(const LoadedModel& model, const CppFlags& flags) {
  const data::SourceOptions options = model.source_options();
  const std::string dataset = flags.dataset.empty() ? model.spec.dataset : flags.dataset;
  const data::SourceTraits& traits = data::source_traits(dataset);
  if (traits.pixels && !dataset.empty()) need_pixels(model);
  if (!flags.dataset.empty() || traits.endless) return flags.data.open(dataset, options);
  if (!data::find_known_set(dataset)) {
    if (flags.data.data_dir.empty()) return {};
    throw UsageError("the model names no data set it was trained on; name one: --dataset NAME");
  }
  if (!flags.data.data_dir.empty()) return flags.data.open(dataset, options);
  try {
    return flags.data.open(dataset, options, false);
  } catch (const Error& error) {
    say_note(fmt::format("{}; --data-dir gives the loss of accuracy", error.what()));
    return {};
  }
}

/// The loss of accuracy through 8 bits, in a line.
std::string report_int8(const LoadedModel& model, const CppFlags& flags) {
  const exporter::Int8Weights rounded(model.file.arrays());
  const Pair models{infer::Model<float>(model.spec, model.file.arrays()),
                    infer::Model<float>(model.spec, rounded.arrays())};
  const auto source = find_data(model, flags);
  if (!source) return compare_on_random_input(models);
  train::check_fits("export", model.spec, *source);
  tell_note(*source);
  return comparison(source->name(), train::evaluate(models.floats, *source),
                    train::evaluate(models.int8, *source));
}

}  // namespace

void CppFlags::add_to(Command& command) {
  command.option("--name", name, "cpp: the namespace. Default: the name of the file").value("NAME");
  command.flag("--int8", int8, "cpp: store weights in 8 bits, and print the loss of accuracy");
  command
      .option("--dataset", dataset,
              fmt::format("With --int8: measure on {}, or a folder. "
                          "Default: the data set of the training",
                          fmt::join(data_set_names(), ", ")))
      .folder("DATASET")
      .offers(data_set_names());
  data.add_to(command);
}

int export_cpp(const LoadedModel& model, const std::string& out, const CppFlags& flags) {
  const bool names_data =
      !flags.dataset.empty() || !flags.data.data_dir.empty() || flags.data.fallback_fashion;
  if (!flags.int8 && names_data)
    throw UsageError(
        "--dataset, --data-dir and --fallback-fashion need --int8; add it, or leave them out");
  const exporter::CppHeader header = exporter::cpp_header(
      model.spec, model.file.arrays(), {.name = name_of(flags, out), .int8 = flags.int8});
  const std::string cost = flags.int8 ? report_int8(model, flags) : "";
  write_file("export", out, header.text);
  fmt::print(
      "{}: {} bytes of text; in a program {} bytes of constants, and {} bytes of memory for "
      "each Model, beside code and stack\n{}",
      printable(out), header.text.size(), header.weight_bytes, header.object_bytes, cost);
  return kOk;
}

}  // namespace unroll::app
