// unroll inspect: the tutorial's "parameters in depth".
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "app/commands.h"
#include "app/json_line.h"
#include "app/model_source.h"
#include "app/roles.h"
#include "core/printable.h"
#include "spec/cells.h"

namespace unroll::app {
namespace {

std::string size_text(Size2d e) { return fmt::format("{} x {}", e.height, e.width); }

/// A line about each layer. `known` is false if the activations are only assumed.
struct Describe {
  bool known;

  std::string activation(std::string_view name) const {
    return known ? std::string(name) : "relu or tanh, the file does not say";
  }

  std::string operator()(const spec::RecurrentSpec& r) const {
    std::string text =
        fmt::format("recurrent layer: {} inputs, {} hidden units, {} layer{}, {}", r.input_size,
                    r.hidden_size, r.num_layers, r.num_layers == 1 ? "" : "s",
                    spec::info_of(r).has_nonlinearity() ? activation(spec::name_of(r.nonlinearity))
                                                        : std::string(spec::name_of(r.cell)));
    if (r.bidirectional) text += ", bidirectional";
    if (r.proj_size > 0) text += fmt::format(", projected to {}", r.proj_size);
    if (r.layer_norm) text += ", layer normalisation";
    if (r.zoneout_h > 0 || r.zoneout_c > 0)
      text += fmt::format(", zoneout {} of h and {} of c", r.zoneout_h, r.zoneout_c);
    if (r.learn_initial_state) text += ", learnt initial state";
    return fmt::format("{}\nreadout: {}", text, readout(r));
  }
  std::string operator()(const spec::LinearSpec& l) const {
    return fmt::format("{}: linear, {} to {}{}", printable(l.name), l.in_features, l.out_features,
                       l.bias ? "" : ", no bias");
  }
  std::string operator()(const spec::ActivationSpec& a) const {
    return "activation: " + activation(spec::name_of(a.function));
  }
  std::string operator()(const spec::Conv2dSpec& c) const {
    return fmt::format("{}: convolution, {} to {} channels, kernel {}, stride {}, padding {}{}",
                       printable(c.name), c.in_channels, c.out_channels, size_text(c.kernel),
                       size_text(c.stride), size_text(c.padding), c.bias ? "" : ", no bias");
  }
  std::string operator()(const spec::MaxPool2dSpec& p) const {
    return fmt::format("max pooling: {}, stride {}", size_text(p.kernel), size_text(p.stride));
  }
  std::string operator()(const spec::FlattenSpec&) const { return "flatten"; }
  std::string operator()(const spec::ScaleSpec& s) const {
    if (s.mean.size() > 1 || s.std.size() > 1) return "scale: (x - mean) / std of each feature";
    return fmt::format("scale: (x - {}) / {}", s.mean.front(), s.std.front());
  }
  std::string operator()(const spec::EmbeddingSpec& e) const {
    return fmt::format("{}: embedding, {} tokens to {} features", printable(e.name),
                       e.num_embeddings, e.embedding_dim);
  }
  std::string operator()(const spec::LayerNormSpec& n) const {
    return fmt::format("{}: layer normalisation of {} features{}", printable(n.name), n.features,
                       !n.elementwise_affine ? ", no weight"
                       : n.bias              ? ""
                                             : ", no bias");
  }
  std::string operator()(const spec::ResidualSpec& r) const {
    return r.over == 1 ? "residual: adds the input of the layer before"
                       : fmt::format("residual: adds the input of the {} layers before", r.over);
  }

 private:
  static std::string_view readout(const spec::RecurrentSpec& r) {
    switch (r.readout) {
      case spec::Readout::last:
        return r.bidirectional ? "the last states of both directions" : "the last step's state";
      case spec::Readout::mean:
        return "the mean of the states";
      case spec::Readout::max:
        return "the maximum of the states";
      case spec::Readout::mean_last:
        return "the mean of the states, and the last state";
      case spec::Readout::every_step:
        break;
    }
    return "the states of every step";
  }
};

/// The model's input. `described` is false for a bare state_dict.
struct DescribeInput {
  bool described;

  std::string operator()(const spec::ImageInput& images) const {
    if (!images.pixels) return fmt::format("images of {} as they are", size(images));
    std::string text = fmt::format("images {} as {}, (pixel / 255 - {}) / {}{}",
                                   images.height == 0 ? "of any size" : "of " + size(images),
                                   spec::name_of(images.form), images.mean, images.std,
                                   described ? "" : ", as --normalize says");
    if (images.permutation)
      text += fmt::format("\npixels in the order of seed {}", *images.permutation);
    return text;
  }
  std::string operator()(const spec::SeriesInput& series) const {
    return fmt::format("sequences of {}{}", steps(series.steps), numbers(series));
  }
  std::string operator()(const spec::VectorInput& vector) const {
    return "arrays of " + numbers(vector);
  }
  std::string operator()(const spec::TokenInput& input) const {
    return fmt::format("sequences of {}one token, 0 to {}", steps(input.steps), input.tokens - 1);
  }

 private:
  static std::string size(const spec::ImageInput& images) {
    return fmt::format("{}x{}", images.height, images.width);
  }
  static std::string steps(std::int64_t count) {
    return count == 0 ? "steps of " : fmt::format("{} steps of ", count);
  }
  template <class Input>
  std::string numbers(const Input& input) const {
    std::string text = fmt::format("{} numbers", input.features);
    text += input.mean.empty() ? " as they are" : ", (x - mean) / std of each";
    if (!described) text += ", as a bare state_dict states no input";
    return text;
  }
};

/// One tensor of a model.
struct TensorInfo {
  std::string name, role = {};
  spec::Sizes shape = {};
  std::int64_t count = 0;
  double square = 0;  // the sum of all squares

  double norm() const { return std::sqrt(square); }
};

std::vector<TensorInfo> tensors_of(const LoadedModel& model) {
  const auto roles = roles_of(model.spec);
  std::vector<TensorInfo> all;
  for (const auto& [name, sizes] : spec::weights_of(model.spec)) {
    const io::ArrayView* array = model.file.find(name);  // load_model saw that it is there
    const auto values = io::floats_of<double>(*array);
    TensorInfo tensor = {name, roles.at(name), array->shape,
                         static_cast<std::int64_t>(values.size())};
    for (const double v : values) tensor.square += v * v;
    all.push_back(std::move(tensor));
  }
  return all;
}

/// Of all tensors together.
TensorInfo total_of(const std::vector<TensorInfo>& tensors) {
  TensorInfo total{.name = "total"};
  for (const TensorInfo& tensor : tensors) {
    total.count += tensor.count;
    total.square += tensor.square;
  }
  return total;
}

void print_model(const LoadedModel& model, bool known) {
  const spec::ModelSpec& spec = model.spec;
  const std::vector<TensorInfo> tensors = tensors_of(model);
  std::size_t widest = 24;
  for (const TensorInfo& tensor : tensors) widest = std::max(widest, printable(tensor.name).size());
  const auto print_row = [&](const TensorInfo& tensor, const std::string& shape) {
    fmt::print("{:<{}} {:<12} {:>9}  {:<32} {:>10.4f}\n", printable(tensor.name), widest, shape,
               tensor.count, printable(tensor.role), tensor.norm());
  };
  fmt::print("{:<{}} {:<12} {:>9}  {:<32} {:>10}\n", "name", widest, "shape", "count", "role",
             "norm");
  for (const TensorInfo& tensor : tensors)
    print_row(tensor, fmt::format("[{}]", fmt::join(tensor.shape, ", ")));
  print_row(total_of(tensors), "");
  fmt::print("\ninput: {}\n", std::visit(DescribeInput{model.described}, spec.input));
  for (const spec::LayerSpec& layer : spec.layers)
    fmt::print("{}\n", std::visit(Describe{known}, layer));
  fmt::print("output: {} {}\n", spec::outputs_of(spec), spec::name_of(spec.output));
  if (!spec.dataset.empty()) fmt::print("trained on: {}\n", printable(spec.dataset));
}

/// One line: the tensors, and the description as the model's file has it.
void print_model_as_json(const LoadedModel& model, bool known) {
  using Json = nlohmann::ordered_json;
  const std::vector<TensorInfo> tensors = tensors_of(model);
  Json list = Json::array();
  for (const TensorInfo& tensor : tensors)
    list.push_back({{"name", tensor.name},
                    {"shape", tensor.shape},
                    {"count", tensor.count},
                    {"role", tensor.role},
                    {"norm", tensor.norm()}});
  const TensorInfo total = total_of(tensors);
  const Json line = {{"event", "inspect"},
                     {"tensors", list},
                     {"count", total.count},
                     {"norm", total.norm()},
                     {"described", model.described},
                     {"activation_known", known},
                     {"outputs", spec::outputs_of(model.spec)},
                     {"description", Json::parse(spec::to_json(model.spec))}};
  fmt::print("{}\n", json_line(line));
}

struct InspectFlags {
  ModelFlags model;
  bool json = false;
};

int work(const InspectFlags& flags) {
  const LoadedModel model = load_model(flags.model, false);
  const bool known = model.described || !flags.model.activation.empty();
  (flags.json ? print_model_as_json : print_model)(model, known);
  return kOk;
}

}  // namespace

void add_inspect(Command& program) {
  Command command = program.add("inspect", "Show a model's parameters and description",
                                "unroll inspect runs/mnist-rnn-tuned-seed0");
  const auto flags = std::make_shared<InspectFlags>();
  flags->model.add_to(command);
  command.flag("--json", flags->json, "One line of JSON");
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
