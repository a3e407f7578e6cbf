#include "export/cpp_header.h"

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/printable.h"
#include "export/cpp_layers.h"
#include "unroll/core/error.h"

namespace unroll::exporter {
namespace {

/// What to do about a model that reads ahead.
std::string_view remedy_of(const spec::ModelSpec& spec) {
  for (const auto& layer : spec.layers)
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer); r && r->bidirectional)
      return "train it with --bidirectional=off, or use --format onnx";
  return "train it with causal convolutions, or use --format onnx";
}

/// Throws ValueError if the model can't run step by step.
void check_streams(const spec::ModelSpec& spec) {
  if (!spec::is_sequence(spec.input))
    throw ValueError("export",
                     "--format cpp runs a model step by step, but this one reads no sequences");
  if (const std::string why = spec::reads_ahead(spec); !why.empty())
    throw ValueError("export", fmt::format("--format cpp runs a model step by step, but {}: its "
                                           "output at a step depends on later steps; {}",
                                           why, remedy_of(spec)));
}

/// Throws ValueError if a stream of the model has no output after its first steps.
void check_first_step(const spec::ModelSpec& spec) {
  for (const auto& layer : spec.layers)
    if (const auto* c = std::get_if<spec::Conv1dSpec>(&layer); c && c->windows.shortest() > 1)
      throw ValueError("export",
                       fmt::format("--format cpp gives outputs after every step, but {} has none "
                                   "before step {}; train it with causal convolutions",
                                   c->name, c->windows.shortest()));
}

std::string_view meaning_of(spec::Output output) {
  switch (output) {
    case spec::Output::logits:
      return "logits of classes; softmax makes them probabilities";
    case spec::Output::scores:
      return "scores of classes; the largest is the answer";
    case spec::Output::values:
      break;
  }
  return "values";
}

/// The meaning of step()'s input, for a comment in the header.
struct MeaningOfInput {
  std::string operator()(const spec::ImageInput& images) const {
    std::string text = "the model's inputs as in training";
    if (images.pixels)
      text += fmt::format("; for a pixel from 0 to 255 this is\n// (pixel / 255 - {}) / {}",
                          images.mean, images.std);
    text += '.';
    if (images.permutation)
      text += fmt::format(" The pixels come in the random order of seed {}, as in training.",
                          *images.permutation);
    return text;
  }
  std::string operator()(const spec::TokenInput& input) const {
    return fmt::format("a token, a whole number from 0 to {}.", input.tokens - 1);
  }
  template <class Numbers>
  std::string operator()(const Numbers& input) const {
    return input.mean.empty() ? "the model's inputs as in training."
                              : "numbers, which the model scales as in training.";
  }
};

/// A line for each name: "//   in[0]: "mode=eco"\n". Quotes end a line, so no name continues it.
std::string lines_of(std::string_view array, const std::vector<std::string>& names) {
  std::string lines;
  for (std::size_t i = 0; i < names.size(); ++i)
    lines += fmt::format("//   {}[{}]: {}\n", array, i, in_quotes(names[i]));
  return lines;
}

/// The names of the inputs and answers of a model of a table, as comments.
std::string names_in(const spec::ModelSpec& spec) {
  if (!spec.table) return {};
  const auto* const series = std::get_if<spec::SeriesInput>(&spec.input);
  return (series ? lines_of("in", series->names) : std::string()) + lines_of("out", spec.classes);
}

std::string describe(const spec::ModelSpec& spec, const CppOptions& options,
                     const CppParts& parts) {
  return fmt::format(
      "// A recurrent network, written by `unroll export --format cpp{0}`. It needs C++17 and no\n"
      "// library, allocates nothing and throws nothing.\n"
      "//\n"
      "//   {1}::Model model;              // {2} bytes of memory, and {3} bytes of constants\n"
      "//   model.step(in, out);           // {1}::kInputs numbers in, {1}::kOutputs out\n"
      "//   model.process(in, out, steps); // a block of steps\n"
      "//   model.reset();                 // start a new sequence\n"
      "//\n"
      "// In: {4}\n"
      "// Out: {5}.\n{6}",
      options.int8 ? " --int8" : "", options.name, parts.object_bytes, parts.weight_bytes,
      std::visit(MeaningOfInput{}, spec.input), meaning_of(spec.output), names_in(spec));
}

}  // namespace

CppHeader cpp_header(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights,
                     const CppOptions& options) {
  if (is_taken_cpp_name(options.name))
    throw ValueError("export", fmt::format("'{}' can't be the name of a C++ namespace: C++ or its "
                                           "library has that name; choose another",
                                           options.name));
  if (!is_cpp_name(options.name))
    throw ValueError("export",
                     fmt::format("'{}' can't be the name of a C++ namespace; expected letters, "
                                 "digits and single underscores, starting with a letter",
                                 options.name));
  check_streams(spec);
  check_first_step(spec);
  std::map<std::string, spec::Sizes> shapes;
  for (const auto& w : weights) shapes[w.name] = w.shape;
  const std::string misfits = spec::differences(spec, shapes);
  if (!misfits.empty()) throw FormatError("export", misfits);

  const CppParts parts = cpp_parts(spec::with_scale_layer(spec), weights, options.int8);
  CppHeader header;
  header.weight_bytes = parts.weight_bytes;
  header.object_bytes = parts.object_bytes;
  fmt::format_to(
      std::back_inserter(header.text),
      "{0}#pragma once\n\n#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n\n"
      "namespace {1} {{\n\n"
      "inline constexpr size_t kInputs = {2};   // numbers that a step reads\n"
      "inline constexpr size_t kOutputs = {3};  // numbers that a step writes\n\n"
      "namespace detail {{\n\n{4}{5}\n}}  // namespace detail\n\n"
      "class Model {{\n public:\n  Model() {{ reset(); }}\n\n"
      "  /// Starts a new sequence.\n"
      "  void reset() {{\n    using namespace detail;\n{6}  }}\n\n"
      "  /// Makes the next step and writes the outputs of the sequence so far. If `out` is null,\n"
      "  /// it only updates the state, and spends no time on outputs.\n"
      "  void step(const float* in, float* out) {{\n    using namespace detail;\n{7}  }}\n\n"
      "  /// Makes a number of steps: in is (steps, kInputs), out is (steps, kOutputs).\n"
      "  void process(const float* in, float* out, size_t steps) {{\n"
      "    for (size_t t = 0; t < steps; ++t) step(in + t * kInputs, out + t * kOutputs);\n  }}\n\n"
      " private:\n{8}}};\n\n}}  // namespace {1}\n",
      describe(spec, options, parts), options.name, spec::inputs_of(spec), spec::outputs_of(spec),
      parts.functions, parts.constants, parts.reset, parts.step, parts.fields);
  return header;
}

}  // namespace unroll::exporter
