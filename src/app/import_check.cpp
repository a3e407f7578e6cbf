#include "app/import_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "app/array_run.h"
#include "core/printable.h"
#include "io/array_index.h"
#include "spec/cells.h"
#include "unroll/core/error.h"

namespace unroll::app {
namespace {

/// A shape without dimensions of size 1, which PyTorch's users add and drop freely.
std::vector<std::int64_t> squeezed(std::vector<std::int64_t> shape) {
  std::erase(shape, 1);
  return shape;
}

/// Our outputs after the function at the end of the original.
std::vector<double> with_ending(const Outputs<float>& ours, importer::Ending ending) {
  std::vector<double> values(ours.values.begin(), ours.values.end());
  if (ending != importer::Ending::none)
    importer::apply(ending, static_cast<std::size_t>(ours.shape.back()), values);
  return values;
}

/// The output with the largest ratio of error to tolerance.
struct Worst {
  std::size_t at = 0;
  double difference = 0, of_allowed = 0;  // 1: exactly at the tolerance
};

Worst worst_of(std::span<const double> ours, std::span<const double> expected,
               const Tolerance& tolerance) {
  Worst worst;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (ours[i] == expected[i]) continue;  // also for infinities, whose difference is NaN
    double difference = std::abs(ours[i] - expected[i]);
    if (std::isnan(difference)) difference = std::numeric_limits<double>::infinity();
    const double allowed = tolerance.absolute + tolerance.relative * std::abs(expected[i]);
    // An infinite tolerance would allow everything.
    const double of_allowed = std::isfinite(allowed) && allowed > 0
                                  ? difference / allowed
                                  : std::numeric_limits<double>::infinity();
    if (of_allowed > worst.of_allowed) worst = {i, difference, of_allowed};
  }
  return worst;
}

bool agree(std::span<const double> ours, std::span<const double> expected,
           const Tolerance& tolerance) {
  return ours.size() == expected.size() && worst_of(ours, expected, tolerance).of_allowed <= 1;
}

// ---- Other interpretations of the same weights.

/// Tries interpretations and describes those that give the original's outputs.
class Readings {
 public:
  Readings(const importer::ImportedModel& imported, const Original& original,
           const Tolerance& tolerance)
      : imported_(imported),
        original_(original),
        expected_(io::floats_of<double>(original.outputs.view())),
        tolerance_(tolerance) {}

  std::string all() {
    if (std::string rounding = of_rounding(); !rounding.empty()) return rounding;
    try_functions_of_the_outputs();
    try_other_layers();
    try_other_steps();
    return fmt::format("{}", fmt::join(found_, "; or "));
  }

 private:
  /// Where large numbers cancel, a small output has their rounding errors. A relative tolerance
  /// does not cover these.
  std::string of_rounding() const {
    const auto ours = with_ending(run(imported_.spec, original_.inputs), imported_.ending);
    double largest = 0, difference = 0;
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      largest = std::max(largest, std::abs(expected_[i]));
      difference = std::max(difference, std::abs(ours[i] - expected_[i]));
    }
    constexpr double kRounding = 1e-6;
    if (!(difference <= kRounding * largest)) return {};
    return fmt::format(
        "the difference is rounding, as outputs are up to {:.3g}: allow it with --tolerance {:.1g}",
        largest, 2 * difference);
  }

  /// An interpretation that is no valid model is skipped.
  template <class F>
  void attempt(const std::string& what, F&& outputs) {
    try {
      if (agree(outputs(), expected_, tolerance_)) found_.push_back(what);
    } catch (const Error&) {
    }
  }

  Outputs<float> run(const spec::ModelSpec& spec, const io::NpyArray& inputs) const {
    std::vector<io::ArrayView> views;
    for (const auto& [name, shape] : spec::weights_of(spec))
      for (const importer::Weight& weight : imported_.weights)
        if (weight.name == name) views.push_back(weight.view());
    return run_array(infer::Model<float>(spec, views), inputs);
  }

  void try_functions_of_the_outputs() {
    for (const importer::Ending ending :
         {importer::Ending::none, importer::Ending::softmax, importer::Ending::log_softmax})
      if (ending != imported_.ending)
        attempt(ending == importer::Ending::none
                    ? fmt::format("the outputs agree without the {} at its end",
                                  name_of(imported_.ending))
                    : fmt::format("the outputs agree if the original ends in {0}: add {{\"type\": "
                                  "\"activation\", \"function\": \"{0}\"}} as the last layer",
                                  name_of(ending)),
                [&] { return with_ending(run(imported_.spec, original_.inputs), ending); });
    for (const auto f : {spec::Activation::sigmoid, spec::Activation::tanh, spec::Activation::relu})
      try_with(
          fmt::format("the outputs agree with a {} at the end: add {{\"type\": \"activation\", "
                      "\"function\": \"{}\"}} as the last layer",
                      name_of(f), name_of(f)),
          [&](spec::ModelSpec& spec) { spec.layers.emplace_back(spec::ActivationSpec{f}); });
  }

  /// The model after `change` to its description.
  template <class F>
  void try_with(const std::string& what, F&& change) {
    spec::ModelSpec spec = imported_.spec;
    change(spec);
    attempt(what, [&] { return with_ending(run(spec, original_.inputs), imported_.ending); });
  }

  /// Other readouts and activations with the same shapes.
  void try_other_layers() {
    for (std::size_t i = 0; i < imported_.spec.layers.size(); ++i) {
      const spec::LayerSpec& layer = imported_.spec.layers[i];
      if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer)) {
        using enum spec::Readout;
        for (const spec::Readout readout : {last, mean, max})
          if (r->readout != readout && r->readout != every_step && r->readout != mean_last)
            try_with(fmt::format("the outputs agree with \"readout\": \"{}\" of {}",
                                 name_of(readout), r->name),
                     [&](spec::ModelSpec& spec) {
                       std::get<spec::RecurrentSpec>(spec.layers[i]).readout = readout;
                     });
        if (!spec::info_of(*r).has_nonlinearity()) continue;
        const auto other =
            r->nonlinearity == Nonlinearity::tanh ? Nonlinearity::relu : Nonlinearity::tanh;
        try_with(fmt::format("the outputs agree with \"nonlinearity\": \"{}\" of {}",
                             spec::name_of(other), r->name),
                 [&](spec::ModelSpec& spec) {
                   std::get<spec::RecurrentSpec>(spec.layers[i]).nonlinearity = other;
                 });
      } else if (const auto* a = std::get_if<spec::ActivationSpec>(&layer)) {
        using enum spec::Activation;
        for (const spec::Activation f : {relu, tanh, sigmoid})
          if (f != a->function)
            try_with(fmt::format("the outputs agree with \"function\": \"{}\" of layer {}",
                                 name_of(f), i + 1),
                     [&](spec::ModelSpec& spec) {
                       std::get<spec::ActivationSpec>(spec.layers[i]).function = f;
                     });
        try_with(fmt::format("the outputs agree without layer {}, an activation", i + 1),
                 [&](spec::ModelSpec& spec) {
                   spec.layers.erase(spec.layers.begin() + static_cast<std::ptrdiff_t>(i));
                 });
      }
    }
  }

  /// Time steps of the last recurrent layer's output that no readout gives.
  void try_other_steps() {
    const auto& layers = imported_.spec.layers;
    std::size_t at = layers.size();
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (const auto* r = std::get_if<spec::RecurrentSpec>(&layers[i]);
          r && r->readout != spec::Readout::every_step && r->readout != spec::Readout::mean_last)
        at = i;
    if (at == layers.size()) return;
    spec::ModelSpec head = imported_.spec, tail;
    head.layers.resize(at + 1);
    auto& r = std::get<spec::RecurrentSpec>(head.layers.back());
    r.readout = spec::Readout::every_step;
    const std::int64_t features = r.features();
    tail.input = spec::VectorInput{.features = features};
    tail.layers.assign(layers.begin() + static_cast<std::ptrdiff_t>(at) + 1, layers.end());

    const auto reading = [&](std::string_view what, bool from_end_forward, bool from_end_backward) {
      attempt(fmt::format("the outputs agree with {}, which can't be imported", what), [&] {
        const Outputs<float> all = run(head, original_.inputs);
        const auto width = static_cast<std::size_t>(features),
                   steps = static_cast<std::size_t>(all.shape[all.shape.size() - 2]),
                   batch = all.values.size() / width / steps;
        const std::size_t forward = r.bidirectional ? width / 2 : width;
        Outputs<float> read{{static_cast<std::int64_t>(batch), features}, {}};
        for (std::size_t n = 0; n < batch; ++n)
          for (std::size_t k = 0; k < width; ++k) {
            const bool end = k < forward ? from_end_forward : from_end_backward;
            read.values.push_back(all.values[(n * steps + (end ? steps - 1 : 0)) * width + k]);
          }
        if (!tail.layers.empty()) {
          io::NpyArray states{io::ElementType::f32, read.shape, {}};
          const auto bytes = std::as_bytes(std::span(read.values));
          states.data.assign(bytes.begin(), bytes.end());
          read = run(tail, states);
        }
        return with_ending(read, imported_.ending);
      });
    };
    if (r.bidirectional)
      reading(fmt::format(
                  "output[:, -1] of {}, where the backward direction has read one step (\"last\" "
                  "is h_n, where both directions have read all steps)",
                  r.name),
              true, true);
    reading(fmt::format("output[:, 0] of {}, the first step", r.name), false, false);
  }

  const importer::ImportedModel& imported_;
  const Original& original_;
  const std::vector<double> expected_;
  const Tolerance tolerance_;
  std::vector<std::string> found_;
};

}  // namespace

Comparison compare(const importer::ImportedModel& imported, const Original& original,
                   const Tolerance& tolerance) {
  const Outputs<float> ours = run_array(imported.model(), original.inputs);
  if (squeezed(original.outputs.shape) != squeezed(ours.shape))
    throw ShapeError(
        "import",
        fmt::format("--check: {} has shape [{}], the model's outputs have [{}]", original.name,
                    fmt::join(original.outputs.shape, ", "), fmt::join(ours.shape, ", ")));
  const auto expected = io::floats_of<double>(original.outputs.view());
  const std::vector<double> values = with_ending(ours, imported.ending);
  double size = 0;
  for (const double value : expected) size = std::max(size, std::abs(value));
  const Worst worst = worst_of(values, expected, tolerance);
  const bool good = worst.of_allowed <= 1;
  return {good,
          fmt::format("check: {} outputs of up to {:.4g}; the worst is {:.3g} off, at {}: {:.9g} "
                      "here, {:.9g} in {}: {} {:g} + {:g} * |expected|\n",
                      expected.size(), size, worst.difference, io::index_text(worst.at, ours.shape),
                      values[worst.at], expected[worst.at], printable(original.name),
                      good ? "within" : "MORE THAN", tolerance.absolute, tolerance.relative)};
}

std::string likely_cause(const importer::ImportedModel& imported, const Original& original,
                         const Tolerance& tolerance) {
  return Readings(imported, original, tolerance).all();
}

}  // namespace unroll::app
