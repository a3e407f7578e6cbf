#include "report/network_parts.h"

#include <fmt/format.h>

#include <functional>
#include <numeric>

#include "spec/cells.h"
#include "spec/layer_weights.h"

namespace unroll::report {
namespace {

std::int64_t product(const spec::Sizes& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

/// The numbers in all weights of a layer that is neither recurrent nor residual.
std::int64_t weights_in(const spec::LayerSpec& layer) {
  std::int64_t count = 0;
  for (const auto& [name, shape] : spec::weights_of({.layers = {layer}})) count += product(shape);
  return count;
}

/// A name of any length as one that fits into a box.
std::string short_name(const std::string& name) {
  constexpr std::size_t most = 20;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < name.size(); ++i)
    if ((static_cast<unsigned char>(name[i]) & 0xc0) != 0x80 && ++characters > most)
      return name.substr(0, i) + "…";
  return name;
}

std::string activation_text(std::string_view name, bool known) {
  if (!known) return "ReLU or tanh";
  return name == "relu" ? "ReLU" : std::string(name);
}

std::string size_text_of(Size2d size) { return fmt::format("{} × {}", size.height, size.width); }

/// The lines of a layer without its name.
struct PartLines {
  bool activation_known;

  std::vector<Line> operator()(const spec::LinearSpec&) const { return {{"linear"}}; }
  std::vector<Line> operator()(const spec::EmbeddingSpec&) const { return {{"embedding"}}; }
  std::vector<Line> operator()(const spec::LayerNormSpec&) const {
    return {{"layer normalisation"}};
  }
  std::vector<Line> operator()(const spec::Conv1dSpec& c) const {
    const StepWindows& w = c.windows;
    std::vector<Line> lines = {
        {fmt::format("convolution of {} step{}", w.kernel, w.kernel == 1 ? "" : "s")},
        {fmt::format("{} channel{}", with_commas(c.out_channels), c.out_channels == 1 ? "" : "s")}};
    if (w.stride > 1) lines.push_back({fmt::format("stride {}", w.stride)});
    if (w.dilation > 1) lines.push_back({fmt::format("dilation {}", w.dilation)});
    if (c.groups > 1) lines.push_back({fmt::format("{} groups", c.groups)});
    if (w.causal) lines.push_back({"causal"});
    if (w.padding > 0) lines.push_back({fmt::format("padding {}", w.padding)});
    return lines;
  }
  std::vector<Line> operator()(const spec::Conv2dSpec& c) const {
    return windows("convolution " + size_text_of(c.kernel), c.stride, {1, 1}, c.padding);
  }
  std::vector<Line> operator()(const spec::MaxPool2dSpec& p) const {
    return windows("max pooling " + size_text_of(p.kernel), p.stride, p.kernel, p.padding);
  }
  std::vector<Line> operator()(const spec::ActivationSpec& a) const {
    return {{activation_text(spec::name_of(a.function), activation_known)}};
  }
  std::vector<Line> operator()(const spec::FlattenSpec&) const { return {{"flatten"}}; }
  std::vector<Line> operator()(const spec::ScaleSpec&) const {
    return {{"scale"}, {"(x − mean) / std"}};
  }
  template <class Other>  // recurrent and residual: drawn in their own way
  std::vector<Line> operator()(const Other&) const {
    return {};
  }

 private:
  static std::vector<Line> windows(std::string text, Size2d stride, Size2d usual_stride,
                                   Size2d padding) {
    std::vector<Line> lines = {{std::move(text)}};
    if (stride != usual_stride) lines.push_back({"stride " + size_text_of(stride)});
    if (padding != Size2d{}) lines.push_back({"padding " + size_text_of(padding)});
    return lines;
  }
};

}  // namespace

std::string with_commas(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto place = static_cast<std::int64_t>(text.size()) - 3; place > 0; place -= 3)
    text.insert(static_cast<std::size_t>(place), ",");
  return text;
}

std::string parameters_text(std::int64_t count) {
  return with_commas(count) + (count == 1 ? " parameter" : " parameters");
}

std::string shape_text(const spec::Features& f) {
  switch (f.kind) {
    case spec::Features::Kind::image:
      return fmt::format("{} × {} × {}", f.channels, f.height, f.width);
    case spec::Features::Kind::tokens:
      return fmt::format("0 to {}", f.width - 1);
    case spec::Features::Kind::vector:
    case spec::Features::Kind::sequence:
      break;
  }
  return std::to_string(f.width);
}

Part part_of(const spec::LayerSpec& layer, bool activation_known) {
  Part part{.parameters = weights_in(layer)};
  std::visit(
      [&](const auto& l) {
        if constexpr (requires { l.name; }) {
          part.lines.push_back({short_name(l.name), Ink::name});
          part.fill = Fill::weights;
        }
      },
      layer);
  for (Line& line : std::visit(PartLines{activation_known}, layer))
    if (part.lines.empty() || line.text != part.lines.front().text)  // a layer called "linear"
      part.lines.push_back(std::move(line));
  if (part.fill == Fill::plain) part.lines.front().ink = Ink::name;
  return part;
}

std::vector<StackedLayers> stacked_layers(const spec::RecurrentSpec& r) {
  constexpr std::int64_t most = 6;
  if (r.num_layers > most)
    return {{0, 0}, {1, 1}, {2, r.num_layers - 2}, {r.num_layers - 1, r.num_layers - 1}};
  std::vector<StackedLayers> all;
  for (std::int64_t l = 0; l < r.num_layers; ++l) all.push_back({l, l});
  return all;
}

Part part_of(const spec::RecurrentSpec& r, StackedLayers layers, std::int64_t d,
             bool activation_known) {
  Part part{.fill = Fill::recurrent};
  part.lines.push_back({short_name(r.name), Ink::name});
  // Counted from 1, as people count. The weights' names count from 0.
  if (layers.first != layers.last)
    part.lines.push_back({fmt::format("layers {} to {}", layers.first + 1, layers.last + 1)});
  else if (r.num_layers > 1)
    part.lines.push_back({fmt::format("layer {}", layers.first + 1)});
  const spec::CellInfo& cell = spec::info_of(r);
  part.lines.push_back(
      {cell.has_nonlinearity()
           ? fmt::format("{}, {}", cell.title,
                         activation_text(spec::name_of(r.nonlinearity), activation_known))
           : std::string(cell.title)});
  part.lines.push_back(
      {fmt::format("{} unit{}", with_commas(r.hidden_size), r.hidden_size == 1 ? "" : "s")});
  if (r.proj_size > 0)
    part.lines.push_back({fmt::format("projected to {}", with_commas(r.proj_size))});
  if (r.layer_norm) part.lines.push_back({"layer normalisation"});
  if (r.zoneout_h > 0 || r.zoneout_c > 0) part.lines.push_back({"zoneout"});
  if (r.bidirectional) part.lines.push_back({d == 0 ? "forward" : "backward"});
  for (std::int64_t l = layers.first; l <= layers.last; ++l)
    for (const spec::LayerWeight& weight : spec::layer_weights(r, l, d))
      part.parameters += product(weight.shape);
  return part;
}

std::int64_t learnt_states_of(const spec::RecurrentSpec& r, StackedLayers layers) {
  if (!r.learn_initial_state) return 0;
  std::int64_t numbers = 0;  // in all layers and directions
  for (const spec::LearntState& state : spec::learnt_states(r)) numbers += product(state.shape);
  return numbers / (r.num_layers * r.directions()) * (layers.last - layers.first + 1);
}

}  // namespace unroll::report
