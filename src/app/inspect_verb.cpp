// unroll inspect: the tutorial's "parameters in depth".
#include <fmt/format.h>

#include <cmath>

#include "app/model_source.h"
#include "app/verbs.h"

namespace unroll::app {
namespace {

/// What a weight connects.
std::string role_of(const spec::ModelSpec& spec, const std::string& name) {
  for (std::int64_t l = 0; l < spec.num_layers; ++l) {
    const std::string from = l == 0 ? "input" : fmt::format("hidden {}", l - 1);
    const std::string to = spec.num_layers == 1 ? "hidden" : fmt::format("hidden {}", l);
    const auto is = [&](const char* part) {
      return name == fmt::format("{}.{}_l{}", spec.recurrent, part, l);
    };
    if (is("weight_ih")) return fmt::format("{} → {}", from, to);
    if (is("weight_hh")) return fmt::format("{} → {}", to, to);
    if (is("bias_ih")) return fmt::format("bias of {} → {}", from, to);
    if (is("bias_hh")) return fmt::format("bias of {} → {}", to, to);
  }
  const std::string last =
      spec.num_layers == 1 ? "hidden" : fmt::format("hidden {}", spec.num_layers - 1);
  return fmt::format("{}{} → output", name.ends_with(".bias") ? "bias of " : "", last);
}

int work(const ModelFlags& flags) {
  const LoadedModel model = load_model(flags, false);
  const spec::ModelSpec& spec = model.spec;
  fmt::print("{:<24} {:<12} {:>9}  {:<32} {:>10}\n", "name", "shape", "count", "role", "norm");
  std::int64_t total = 0;
  double total_square = 0;
  for (const auto& [name, sizes] : spec::weights_of(spec)) {
    const io::ArrayView* array = model.file.find(name);  // load_model saw that it is there
    std::vector<double> values(array->data.size() / io::size_of(array->type));
    io::to_floats(*array, std::span<double>(values));
    double square = 0;
    for (const double v : values) square += v * v;
    const auto count = static_cast<std::int64_t>(values.size());
    fmt::print("{:<24} {:<12} {:>9}  {:<32} {:>10.4f}\n", name,
               fmt::format("[{}]", fmt::join(array->shape, ", ")), count, role_of(spec, name),
               std::sqrt(square));
    total += count;
    total_square += square;
  }
  fmt::print("{:<24} {:<12} {:>9}  {:<32} {:>10.4f}\n\n", "total", "", total, "",
             std::sqrt(total_square));
  const std::string activation = model.described || !flags.activation.empty()
                                     ? std::string(spec::name_of(spec.nonlinearity))
                                     : "relu or tanh, the file does not say";
  fmt::print("recurrent layer: {} inputs, {} hidden units, {} layer{}, {}\n", spec.input_size,
             spec.hidden_size, spec.num_layers, spec.num_layers == 1 ? "" : "s", activation);
  fmt::print("readout: the last step's state through a linear layer to {} outputs\n", spec.outputs);
  fmt::print("input: (pixel / 255 - {}) / {}{}\n", spec.input_mean, spec.input_std,
             model.described ? "" : ", as assumed of a bare state_dict");
  if (spec.steps > 0) fmt::print("trained with sequences of {} steps\n", spec.steps);
  if (!spec.dataset.empty()) fmt::print("trained on: {}\n", spec.dataset);
  return kOk;
}

}  // namespace

void add_inspect(CLI::App& program, Work& chosen) {
  CLI::App* verb = add_verb(program, "inspect", "Show a model's parameters and description.",
                            "unroll inspect runs/mnist-rnn-tuned-seed0");
  const auto flags = std::make_shared<ModelFlags>();
  flags->add_to(*verb);
  verb->callback([flags, &chosen] { chosen = [flags] { return work(*flags); }; });
}

}  // namespace unroll::app
