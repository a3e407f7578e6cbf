// The data between a model's layers. This pass makes all checks of a description.
#include <fmt/format.h>

#include <algorithm>

#include "spec/cells.h"
#include "spec/layer_name.h"
#include "spec/limits.h"
#include "spec/ranges.h"
#include "spec/table.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {
namespace {

std::string text_of(const Features& f) {
  switch (f.kind) {
    case Features::Kind::sequence:
      return fmt::format("a sequence of {} features per step", f.width);
    case Features::Kind::image:
      return fmt::format("an image of {} x {} x {}", f.channels, f.height, f.width);
    case Features::Kind::tokens:
      return fmt::format("a sequence of tokens from 0 to {}", f.width - 1);
    case Features::Kind::vector:
      break;
  }
  return fmt::format("a vector of {} features", f.width);
}

/// The output of a layer for a given input.
struct Through {
  const Ranges& ranges;
  const std::vector<Features>& before;  // data before each layer so far
  const Features& in = before.back();

  /// A vector, or a vector at each step.
  bool holds_features() const {
    return in.kind == Features::Kind::vector || in.kind == Features::Kind::sequence;
  }

  void need(bool fits, std::string_view reads) const {
    if (!fits) ranges.fail(fmt::format("reads {}, but its input is {}", reads, text_of(in)));
  }

  Features operator()(const RecurrentSpec& r) const {
    ranges.check("input_size", r.input_size, 1, kLargest);
    ranges.check("hidden_size", r.hidden_size, 1, kLargest);
    ranges.check("num_layers", r.num_layers, 1, kMostRecurrentLayers);
    ranges.check("proj_size", r.proj_size, 0,
                 info_of(r).has_projection ? std::max<std::int64_t>(r.hidden_size - 1, 0) : 0);
    ranges.check_rate("zoneout_h", r.zoneout_h);
    ranges.check_rate("zoneout_c", r.zoneout_c);
    if (r.zoneout_c > 0 && !info_of(r).has_memory())
      ranges.fail(fmt::format("zoneout_c is {}, expected 0: only an LSTM has a c", r.zoneout_c));
    need(in.kind == Features::Kind::sequence && in.width == r.input_size,
         fmt::format("a sequence of {} features per step", r.input_size));
    return {r.readout == Readout::every_step ? Features::Kind::sequence : Features::Kind::vector, 1,
            1, r.features()};
  }

  Features operator()(const LinearSpec& l) const {
    ranges.check("in_features", l.in_features, 1, kMostFeatures);
    ranges.check("out_features", l.out_features, 1, kLargest);
    need(holds_features() && in.width == l.in_features, fmt::format("{} features", l.in_features));
    return {in.kind, 1, 1, l.out_features};
  }

  Features operator()(const ActivationSpec&) const {
    need(in.kind != Features::Kind::tokens, "numbers");
    return in;
  }

  Features operator()(const EmbeddingSpec& e) const {
    ranges.check("num_embeddings", e.num_embeddings, 1, kLargest);
    ranges.check("embedding_dim", e.embedding_dim, 1, kLargest);
    need(in.kind == Features::Kind::tokens && in.width == e.num_embeddings,
         fmt::format("tokens from 0 to {}", e.num_embeddings - 1));
    return {Features::Kind::sequence, 1, 1, e.embedding_dim};
  }

  Features operator()(const LayerNormSpec& n) const {
    ranges.check("features", n.features, 1, kMostFeatures);
    if (!(static_cast<float>(n.eps) > 0 && n.eps <= 1))
      ranges.fail(fmt::format("eps is {}, expected more than 0 and at most 1", n.eps));
    need(holds_features() && in.width == n.features, fmt::format("{} features", n.features));
    return in;
  }

  Features operator()(const Conv1dSpec& c) const {
    ranges.check("in_channels", c.in_channels, 1, kMostChannels);
    ranges.check("out_channels", c.out_channels, 1, kMostChannels);
    ranges.check("kernel", c.windows.kernel, 1, kLargestWindow);
    ranges.check("stride", c.windows.stride, 1, kLargestWindow);
    ranges.check("dilation", c.windows.dilation, 1, kLargestWindow);
    ranges.check("padding", c.windows.padding, 0, c.windows.causal ? 0 : kLargestWindow);
    ranges.check("groups", c.groups, 1, std::min(c.in_channels, c.out_channels));
    if (c.in_channels % c.groups != 0 || c.out_channels % c.groups != 0)
      ranges.fail(fmt::format("{} channels in and {} out, expected multiples of the {} groups",
                              c.in_channels, c.out_channels, c.groups));
    if (c.windows.span() * c.in_channels > kMostFeatures)
      ranges.fail(fmt::format("windows over {} steps of {} channels, expected at most {} numbers",
                              c.windows.span(), c.in_channels, kMostFeatures));
    need(in.kind == Features::Kind::sequence && in.width == c.in_channels,
         fmt::format("a sequence of {} features per step", c.in_channels));
    return {Features::Kind::sequence, 1, 1, c.out_channels};
  }

  Features operator()(const Conv2dSpec& c) const {
    ranges.check("in_channels", c.in_channels, 1, kMostChannels);
    ranges.check("out_channels", c.out_channels, 1, kMostChannels);
    ranges.check("padding", c.padding, 0, kLargestWindow);
    need(in.kind == Features::Kind::image && in.channels == c.in_channels,
         fmt::format("an image of {} channels", c.in_channels));
    return windows(c.kernel, c.stride, c.padding, c.out_channels);
  }

  Features operator()(const MaxPool2dSpec& p) const {
    need(in.kind == Features::Kind::image, "an image");
    ranges.check("padding's height", p.padding.height, 0, p.kernel.height / 2);
    ranges.check("padding's width", p.padding.width, 0, p.kernel.width / 2);
    return windows(p.kernel, p.stride, p.padding, in.channels);
  }

  Features operator()(const FlattenSpec&) const {
    need(in.kind == Features::Kind::image, "an image");
    return {Features::Kind::vector, 1, 1, in.size()};
  }

  Features operator()(const ScaleSpec& s) const {
    need(holds_features(), "a vector or a sequence");
    ranges.check_scaling(s.mean, s.std, in.width);
    return in;
  }

  Features operator()(const ResidualSpec& r) const {
    const auto most = static_cast<std::int64_t>(before.size()) - 1;
    if (most == 0) ranges.fail("a residual connection needs a layer before it");
    ranges.check("over", r.over, 1, most);
    const Features& x = before[before.size() - 1 - static_cast<std::size_t>(r.over)];
    if (x != in)
      ranges.fail(fmt::format("a residual connection adds {} to {}, expected equal shapes",
                              text_of(x), text_of(in)));
    return in;
  }

 private:
  Features windows(Size2d kernel, Size2d stride, Size2d padding, std::int64_t channels) const {
    ranges.check("kernel", kernel, 1, kLargestWindow);
    ranges.check("stride", stride, 1, kLargestWindow);
    const std::int64_t height = in.height + 2 * padding.height,
                       width = in.width + 2 * padding.width;
    if (kernel.height > height || kernel.width > width)
      ranges.fail(fmt::format("a kernel of {} x {} does not fit into {} with padding {} x {}",
                              kernel.height, kernel.width, text_of(in), padding.height,
                              padding.width));
    return {Features::Kind::image, channels, (height - kernel.height) / stride.height + 1,
            (width - kernel.width) / stride.width + 1};
  }
};

/// What a convolution with another number of steps must not do: put outputs of a whole model, or
/// the two terms of a residual connection, at other steps. And it needs one window.
void check_steps(const ModelSpec& spec, bool every_step) {
  std::int64_t steps = steps_of(spec.input);  // 0: any
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    if (const auto* r = std::get_if<ResidualSpec>(&spec.layers[i]))
      for (std::size_t back = 1; back <= static_cast<std::size_t>(r->over); ++back) {
        const auto* c = std::get_if<Conv1dSpec>(&spec.layers[i - back]);
        if (c && !c->windows.keeps_steps())
          Ranges{fmt::format("layer {}", i + 1)}.fail(
              fmt::format("a residual connection over {}, which changes the number of steps; use "
                          "stride 1 and a padding that keeps it, or causal",
                          c->name));
      }
    const auto* c = std::get_if<Conv1dSpec>(&spec.layers[i]);
    if (!c) continue;
    if (every_step && !c->windows.keeps_steps())
      Ranges{c->name}.fail(
          "it changes the number of steps, but the model has an output for every step; use stride "
          "1 and a padding that keeps it, or causal");
    if (steps == 0) continue;
    if (steps < c->windows.shortest())
      Ranges{c->name}.fail(fmt::format("its input has {} steps, expected at least {}", steps,
                                       c->windows.shortest()));
    steps = c->windows.outputs(steps);
  }
  shortest_sequence(spec);  // throws if it is longer than the longest
}

void check_names(const std::vector<LayerSpec>& layers) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (const std::string* name = name_of_layer(layers[i])) {
      const Ranges ranges{fmt::format("layer {}", i + 1)};
      if (name->empty() || name->size() > kLongestName ||
          std::ranges::any_of(*name, [](unsigned char c) { return c < ' ' || c == 0x7f; }))
        ranges.fail(
            fmt::format("its name has {} bytes, expected 1 to {} without control characters",
                        name->size(), kLongestName));
      if (std::ranges::find(names, *name) != names.end())
        ranges.fail(fmt::format("the name {} is taken by a layer before it", *name));
      names.push_back(*name);
    }
}

}  // namespace

std::vector<Features> features_of(const ModelSpec& spec) {
  const std::size_t count = spec.layers.size() + (has_scaling(spec.input) ? 1 : 0);
  if (spec.layers.empty() || count > kMostLayers)
    throw FormatError("model",
                      fmt::format("the model has {} layers, expected 1 to {}", count, kMostLayers));
  check_names(spec.layers);
  std::vector<Features> all = {features_of(spec.input)};
  if (spec.table) check_table(*spec.table, spec.input);
  std::int64_t recurrent = 0;
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const LayerSpec& layer = spec.layers[i];
    const std::string* name = name_of_layer(layer);
    const Ranges ranges{name ? *name : fmt::format("layer {}", i + 1)};
    if (all.back().size() > kMostFeatures)
      ranges.fail(fmt::format("its input is {}, expected at most {} numbers", text_of(all.back()),
                              kMostFeatures));
    all.push_back(std::visit(Through{ranges, all}, layer));
    if (const auto* r = std::get_if<RecurrentSpec>(&layer)) recurrent += r->num_layers;
    if (recurrent > kMostRecurrentLayers)
      ranges.fail(fmt::format("the model has more than {} recurrent layers up to here",
                              kMostRecurrentLayers));
  }
  const Features& out = all.back();
  if (out.kind == Features::Kind::image || out.kind == Features::Kind::tokens)
    throw FormatError("model",
                      fmt::format("the last layer's output is {}, expected a vector or a sequence",
                                  text_of(out)));
  check_steps(spec, out.kind == Features::Kind::sequence);
  if (!spec.classes.empty() && static_cast<std::int64_t>(spec.classes.size()) != out.size())
    throw FormatError("model", fmt::format("{} class names given, expected {}: one for each output",
                                           spec.classes.size(), out.size()));
  return all;
}

std::int64_t shortest_sequence(const ModelSpec& spec) {
  std::int64_t least = 1;  // outputs that the layer must give
  for (std::size_t i = spec.layers.size(); i-- > 0;)
    if (const auto* c = std::get_if<Conv1dSpec>(&spec.layers[i])) {
      least = c->windows.shortest(least);
      if (least > kLongest)
        Ranges{c->name}.fail(
            fmt::format("with the convolutions behind it, it needs {} steps, expected at most {}",
                        least, kLongest));
    }
  return least;
}

std::string reads_ahead(const ModelSpec& spec) {
  for (const LayerSpec& layer : spec.layers) {
    const auto* r = std::get_if<RecurrentSpec>(&layer);
    if (r && r->bidirectional) return fmt::format("{} is bidirectional", r->name);
    const auto* c = std::get_if<Conv1dSpec>(&layer);
    if (c && c->windows.after() > 0) return fmt::format("{} is padded at its end", c->name);
  }
  return {};
}

std::int64_t inputs_of(const ModelSpec& spec) { return features_of(spec).front().size(); }

std::int64_t outputs_of(const ModelSpec& spec) { return features_of(spec).back().size(); }

bool has_activation(const ModelSpec& spec) {
  return std::ranges::any_of(spec.layers, [](const LayerSpec& layer) {
    const auto* r = std::get_if<RecurrentSpec>(&layer);
    return std::holds_alternative<ActivationSpec>(layer) || (r && info_of(*r).has_nonlinearity());
  });
}

}  // namespace unroll::spec
