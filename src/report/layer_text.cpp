#include "report/layer_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <variant>

#include "core/printable.h"
#include "spec/cells.h"

namespace unroll::report {
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
  std::string operator()(const spec::Conv1dSpec& c) const {
    const StepWindows& w = c.windows;
    std::string text = fmt::format("{}: convolution over steps, {} to {} channels, kernel {}",
                                   printable(c.name), c.in_channels, c.out_channels, w.kernel);
    if (w.stride > 1) text += fmt::format(", stride {}", w.stride);
    if (w.dilation > 1) text += fmt::format(", dilation {}", w.dilation);
    if (c.groups > 1) text += fmt::format(", {} groups", c.groups);
    if (w.causal) text += ", causal";
    if (w.padding > 0) text += fmt::format(", padding {}", w.padding);
    return text + (c.bias ? "" : ", no bias");
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

}  // namespace

std::string text_of(const spec::LayerSpec& layer, bool activation_known) {
  return std::visit(Describe{activation_known}, layer);
}

std::string text_of(const spec::InputSpec& input, bool described) {
  return std::visit(DescribeInput{described}, input);
}

std::string_view outputs_name(spec::Output output, std::int64_t count) {
  std::string_view name = spec::name_of(output);
  if (count == 1) name.remove_suffix(1);
  return name;
}

}  // namespace unroll::report
