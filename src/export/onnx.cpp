#include "export/onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/printable.h"
#include "data/image_inputs.h"
#include "export/onnx_cell.h"
#include "export/onnx_readout.h"
#include "export/weights.h"
#include "io/safetensors_header.h"
#include "spec/cells.h"
#include "unroll/core/error.h"

namespace unroll::exporter {
namespace {

using Strings = std::vector<std::string>;

const spec::RecurrentSpec* recurrent(const spec::LayerSpec& layer) {
  return std::get_if<spec::RecurrentSpec>(&layer);
}

/// The model's input, if it reads an image's pixels in a permuted order; otherwise null.
const spec::ImageInput* permuted(const spec::ModelSpec& spec) {
  const auto* images = std::get_if<spec::ImageInput>(&spec.input);
  return images && images->permutation ? images : nullptr;
}

[[noreturn]] void refuse(std::string_view what) { throw ValueError("export", what); }

void check(const spec::ModelSpec& spec, const OnnxOptions& options) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max() - (1 << 20);
  std::int64_t bytes = 0;
  for (const auto& [name, shape] : spec::weights_of(spec)) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    bytes += std::min(count, kMost) * static_cast<std::int64_t>(sizeof(float));
    if (bytes > kMost) refuse("the weights have more than the 2 GB that an .onnx file can hold");
  }
  if (!spec::is_sequence(spec.input)) {
    if (options.streaming) refuse("--streaming: the model reads no sequences");
    if (options.lengths) refuse("--lengths: the model reads no sequences");
  }
  if (options.streaming && options.lengths) refuse("--lengths: a stream has no end");
  if (options.streaming && permuted(spec))
    refuse("--streaming: the model reads pixels in another order, so it needs the whole image");
  for (const auto& layer : spec.layers) {
    const auto* c = std::get_if<spec::Conv1dSpec>(&layer);
    if (c && options.streaming && (!c->windows.keeps_steps() || c->windows.after() > 0))
      refuse(
          fmt::format("--streaming: {} does not give one output for every step from the steps "
                      "so far, which needs a causal convolution of stride 1",
                      in_quotes(c->name)));
    if (const auto* r = recurrent(layer)) {
      check_onnx_can_say(*r);
      if (options.streaming && r->bidirectional)
        refuse(fmt::format("--streaming: {} is bidirectional, so it needs a whole sequence",
                           in_quotes(r->name)));
    }
  }
}

/// Adds a model's layers one after the other. `x_` names the value between two layers: (T, N, F)
/// for sequences, with T = 1 in a stream; (N, F) for vectors; (N, C, H, W) for images.
class Builder {
 public:
  Builder(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights,
          const OnnxOptions& options)
      : description_(spec),
        spec_(spec::with_scale_layer(spec)),
        features_(spec::features_of(spec_)),
        weights_(weights),
        options_(options) {}

  OnnxModel build() {
    begin();
    for (at_ = 0; at_ < spec_.layers.size(); ++at_) {
      into_.push_back(x_);
      std::visit(*this, spec_.layers[at_]);
    }
    end();
    return {graph_.model({{spec::ModelSpec::metadata_key, spec::to_json(description_)}}),
            graph_.inputs(), graph_.outputs()};
  }

  void operator()(const spec::RecurrentSpec& r) {
    const bool memory = spec::info_of(r).has_memory();
    const std::string h_0 = initial_state(r, "h_0"), c_0 = memory ? initial_state(r, "c_0") : "";
    Strings h_n, c_n;
    for (std::int64_t l = 0; l < r.num_layers; ++l) {
      const auto named = [&](const char* token) {
        return fmt::format("{}.{}_l{}", r.name, token, l);
      };
      // The final state of a single layer is the whole output.
      const auto final_name = [&](const char* token) {
        return r.num_layers == 1 ? fmt::format("{}.{}", r.name, token) : named(token);
      };
      const bool read = l + 1 < r.num_layers || r.readout != spec::Readout::last;
      h_n.push_back(final_name("h_n"));
      if (memory) c_n.push_back(final_name("c_n"));
      const OnnxCell cell{x_,
                          lengths_i32_,
                          state_of(r, l, h_0, named("h_0")),
                          memory ? state_of(r, l, c_0, named("c_0")) : "",
                          read ? named("y") : "",
                          h_n.back(),
                          memory ? c_n.back() : ""};
      add_onnx_cell(graph_, r, l, weights_, cell);
      if (read) x_ = side_by_side(r, cell.y, named("output"));
    }
    final_state(r, "h_n", h_n);
    if (memory) final_state(r, "c_n", c_n);
    if (r.readout != spec::Readout::every_step)
      x_ = add_onnx_readout(graph_, r, {x_, h_n.back(), lengths_, mask(), result(r.name + ".read")},
                            options_.streaming);
  }

  void operator()(const spec::LinearSpec& l) {
    const std::string weight = l.name + ".weight", bias = l.name + ".bias";
    add_weight(weight, {l.out_features, l.in_features});
    if (l.bias) add_weight(bias, {l.out_features});
    if (!is_sequence()) {
      Strings in = {x_, weight};
      if (l.bias) in.push_back(bias);
      step("Gemm", in, l.name + ".output", {{"transB", std::int64_t{1}}});
      return;
    }
    graph_.node("Transpose", {weight}, {l.name + ".transposed"});  // (I, O)
    step("MatMul", {x_, l.name + ".transposed"}, l.name + (l.bias ? ".product" : ".output"));
    if (l.bias) step("Add", {x_, bias}, l.name + ".output");
  }

  void operator()(const spec::ActivationSpec& a) {
    using enum spec::Activation;
    if (a.function == symlog) return symlog_of(layer_name());
    step(a.function == relu ? "Relu" : a.function == tanh ? "Tanh" : "Sigmoid", {x_}, layer_name());
  }

  void operator()(const spec::Conv1dSpec& c) {
    const StepWindows& w = c.windows;
    const auto part = [&](const char* token) { return c.name + "." + token; };
    if (const std::string within = mask(); !within.empty())
      x_ = add("Where", {within, x_, scalar(part("past_the_end"), 0)}, part("masked"));
    std::int64_t before = w.before(), after = w.after();
    if (options_.streaming) {
      before = after = 0;
      if (w.span() > 1) x_ = with_last_steps(c);
    }
    add_weight(part("weight"), {c.out_channels, c.in_channels / c.groups, w.kernel});
    const std::string turned = add("Transpose", {x_}, part("turned"),
                                   {{"perm", std::vector<std::int64_t>{1, 2, 0}}});  // (N, C, T)
    Strings in = {turned, part("weight")};
    if (c.bias) {
      add_weight(part("bias"), {c.out_channels});
      in.push_back(part("bias"));
    }
    const auto one = [](std::int64_t value) { return std::vector<std::int64_t>{value}; };
    const std::string y = add("Conv", in, part("convolved"),
                              {{"kernel_shape", one(w.kernel)},
                               {"strides", one(w.stride)},
                               {"dilations", one(w.dilation)},
                               {"group", c.groups},
                               {"pads", std::vector<std::int64_t>{before, after}}});
    step("Transpose", {y}, part("output"), {{"perm", std::vector<std::int64_t>{2, 0, 1}}});
    if (!lengths_.empty() && !w.keeps_steps()) change_lengths(c);
  }

  void operator()(const spec::Conv2dSpec& c) {
    const std::string weight = c.name + ".weight", bias = c.name + ".bias";
    add_weight(weight, {c.out_channels, c.in_channels, c.kernel.height, c.kernel.width});
    Strings in = {x_, weight};
    if (c.bias) {
      add_weight(bias, {c.out_channels});
      in.push_back(bias);
    }
    step("Conv", in, c.name + ".output", windows(c.kernel, c.stride, c.padding));
  }

  void operator()(const spec::MaxPool2dSpec& p) {
    step("MaxPool", {x_}, layer_name(), windows(p.kernel, p.stride, p.padding));
  }

  void operator()(const spec::FlattenSpec&) {
    step("Flatten", {x_}, layer_name(), {{"axis", std::int64_t{1}}});
  }

  void operator()(const spec::ScaleSpec& s) {
    x_ = add("Sub", {x_, numbers(layer_name() + "_mean", s.mean)}, layer_name() + "_centred");
    step("Div", {x_, numbers(layer_name() + "_std", s.std)}, layer_name());
  }

  void operator()(const spec::EmbeddingSpec& e) {
    add_weight(e.name + ".weight", {e.num_embeddings, e.embedding_dim});
    step("Gather", {e.name + ".weight", x_}, e.name + ".output", {{"axis", std::int64_t{0}}});
  }

  /// Made of several operators, because opset 14 has no LayerNormalization.
  void operator()(const spec::LayerNormSpec& n) {
    const auto part = [&](const char* op, const Strings& inputs, const char* name) {
      return add(op, inputs, n.name + "." + name);
    };
    const std::vector<OnnxAttribute> over_features = {{"axes", std::vector<std::int64_t>{-1}}};
    const std::string mean = add("ReduceMean", {x_}, n.name + ".mean", over_features);
    x_ = part("Sub", {x_, mean}, "centred");
    const std::string squares = part("Mul", {x_, x_}, "squares");
    const std::string variance = add("ReduceMean", {squares}, n.name + ".variance", over_features);
    const std::string eps = scalar(n.name + ".eps", static_cast<float>(n.eps));
    const std::string above_0 = part("Add", {variance, eps}, "variance_and_eps");
    std::vector<std::pair<const char*, std::string>> rest = {
        {"Div", part("Sqrt", {above_0}, "deviation")}};
    if (n.elementwise_affine) rest.emplace_back("Mul", n.name + ".weight");
    if (n.has_bias()) rest.emplace_back("Add", n.name + ".bias");
    for (const auto& [op, by] : std::span(rest).subspan(1)) add_weight(by, {n.features});
    const auto last = rest.back();
    rest.pop_back();
    for (const auto& [op, by] : rest) x_ = add(op, {x_, by}, fmt::format("{}.{}_done", n.name, op));
    step(last.first, {x_, last.second}, n.name + ".output");
  }

  void operator()(const spec::ResidualSpec& r) {
    step("Add", {into_[at_ - static_cast<std::size_t>(r.over)], x_}, layer_name());
  }

 private:
  bool is_sequence() const { return features_[at_].kind == spec::Features::Kind::sequence; }

  /// The name of the layer's result: "output" for the last layer, unless it gives a sequence, which
  /// is transposed first.
  std::string result(std::string name) const {
    const bool last =
        at_ + 1 == spec_.layers.size() && features_.back().kind != spec::Features::Kind::sequence;
    return last ? "output" : std::move(name);
  }

  std::string layer_name() const { return fmt::format("layer_{}", at_ + 1); }

  /// Adds an operator with one output, which becomes the next layer's input.
  void step(const char* op, const Strings& inputs, std::string name,
            const std::vector<OnnxAttribute>& attributes = {}) {
    name = result(std::move(name));
    graph_.node(op, inputs, {name}, attributes);
    x_ = name;
  }
  /// Adds an operator, and returns the name of its output.
  std::string add(const char* op, const Strings& inputs, const std::string& name,
                  const std::vector<OnnxAttribute>& attributes = {}) {
    graph_.node(op, inputs, {name}, attributes);
    return name;
  }

  void add_weight(const std::string& name, const std::vector<std::int64_t>& shape) {
    graph_.constant(name, shape, std::span<const float>(weights_(name)));
  }

  std::string scalar(const std::string& name, float value) {
    graph_.constant(name, {}, std::span<const float>(&value, 1));
    return name;
  }

  std::string numbers(const std::string& name, const std::vector<double>& values) {
    const std::vector<float> floats(values.begin(), values.end());
    graph_.constant(name, {static_cast<std::int64_t>(floats.size())},
                    std::span<const float>(floats));
    return name;
  }

  // ---- inputs -------------------------------------------------------------------------------

  void begin() {
    const spec::Features& in = features_.front();
    std::vector<OnnxDimension> shape = {"batch"};
    const bool tokens = in.kind == spec::Features::Kind::tokens;
    if (in.is_sequence() && !options_.streaming)
      shape.push_back(permuted(spec_) ? OnnxDimension(spec::steps_of(spec_.input)) : "time");
    if (in.kind == spec::Features::Kind::image)
      shape.insert(shape.end(), {in.channels, in.height, in.width});
    else if (!tokens)
      shape.push_back(in.width);
    const spec::ImageInput* const pixels = spec::pixels_of(spec_.input);
    const bool scale = options_.scaling && pixels;
    graph_.input({"input", tokens ? OnnxType::i64 : OnnxType::f32, shape,
                  tokens    ? fmt::format("tokens, 0 to {}", in.width - 1)
                  : !pixels ? "numbers as they are"
                  : scale   ? "pixels, 0 to 255"
                            : fmt::format("(pixel / 255 - {}) / {}", pixels->mean, pixels->std)});
    x_ = "input";
    if (scale) scale_pixels(*pixels);
    if (const spec::ImageInput* images = permuted(spec_)) permute(*images, in);
    if (!in.is_sequence()) return;
    if (options_.lengths) add_lengths();
    std::vector<std::int64_t> steps_first = {1, 0};
    if (!tokens) steps_first.push_back(2);
    x_ = options_.streaming ? add("Unsqueeze", {x_, graph_.integers({0})}, "steps")
                            : add("Transpose", {x_}, "steps", {{"perm", steps_first}});
    graph_.node("Shape", {"input"}, {"input_shape"});
    graph_.node("Slice", {"input_shape", graph_.integers({0}), graph_.integers({1})},
                {"batch_size"});  // [N]
    graph_.node("Concat", {graph_.integers({1}), "batch_size", graph_.integers({1})},
                {"state_shape"}, {{"axis", std::int64_t{0}}});  // [1, N, 1]
  }

  /// Scales pixels with the same operations, in the same order, as everywhere else.
  void scale_pixels(const spec::ImageInput& pixels) {
    x_ = add("Div", {x_, scalar("pixel_range", 255)}, "pixels");
    if (pixels.mean != 0)
      x_ = add("Sub", {x_, scalar("pixel_mean", static_cast<float>(pixels.mean))}, "centred");
    if (pixels.std != 1)
      x_ = add("Div", {x_, scalar("pixel_std", static_cast<float>(pixels.std))}, "scaled");
  }

  /// Puts pixels into the model's order. In Reshape, 0 keeps the size of a dimension.
  void permute(const spec::ImageInput& images, const spec::Features& in) {
    const data::ImageInputs inputs(images, images.height, images.width);
    graph_.constant("pixel_order", {static_cast<std::int64_t>(inputs.order().size())},
                    inputs.order());
    x_ = add("Reshape", {x_, graph_.integers({0, -1})}, "in_a_row");
    x_ = add("Gather", {x_, "pixel_order"}, "in_order", {{"axis", std::int64_t{1}}});
    if (in.kind == spec::Features::Kind::sequence)
      x_ = add("Reshape", {x_, graph_.integers({0, -1, in.width})}, "permuted");
    if (in.kind == spec::Features::Kind::image)
      x_ = add("Reshape", {x_, graph_.integers({0, in.channels, in.height, in.width})}, "permuted");
  }

  void add_lengths() {
    graph_.input({"lengths", OnnxType::i64, {"batch"}, "steps of each sequence, 1 to time"});
    lengths_ = "lengths";
    lengths_i32_ =
        add("Cast", {lengths_}, "lengths_i32", {{"to", static_cast<std::int64_t>(OnnxType::i32)}});
  }

  /// (T, N, 1): whether a step is within its sequence; "" if all steps are.
  std::string mask() {
    if (lengths_.empty() || !mask_.empty()) return mask_;
    // The names after a convolution that changes the number of steps have that layer's name.
    const auto named = [&](const char* token) { return steps_of_ + token; };
    if (steps_of_.empty()) {
      graph_.node("Slice", {"input_shape", graph_.integers({1}), graph_.integers({2})},
                  {"step_count"});
    } else {
      graph_.node("Shape", {x_}, {named("shape")});
      graph_.node("Slice", {named("shape"), graph_.integers({0}), graph_.integers({1})},
                  {named("step_count")});
    }
    graph_.node("Squeeze", {named("step_count"), graph_.integers({0})}, {named("steps_scalar")});
    const std::int64_t zero = 0, one = 1;
    graph_.constant(named("zero"), {}, std::span(&zero, 1));
    graph_.constant(named("one"), {}, std::span(&one, 1));
    graph_.node("Range", {named("zero"), named("steps_scalar"), named("one")},
                {named("step_numbers")});
    graph_.node("Unsqueeze", {named("step_numbers"), graph_.integers({1, 2})},
                {named("step_column")});
    graph_.node("Unsqueeze", {lengths_, graph_.integers({1})}, {named("length_column")});
    graph_.node("Less", {named("step_column"), named("length_column")}, {named("within")});
    return mask_ = named("within");
  }

  // ---- convolutions over steps --------------------------------------------------------------

  /// The lengths after a convolution: (length + before + after - span) / stride + 1, rounded down.
  void change_lengths(const spec::Conv1dSpec& c) {
    const StepWindows& w = c.windows;
    const auto named = [&](const char* token) { return c.name + "." + token; };
    const auto number = [&](const char* token, std::int64_t value) {
      graph_.constant(named(token), {}, std::span<const std::int64_t>(&value, 1));
      return named(token);
    };
    const std::string room = number("room", w.before() + w.after() - w.span());
    lengths_ = add("Add", {lengths_, room}, named("last_begin"));
    lengths_ = add("Div", {lengths_, number("stride", w.stride)}, named("strides"));
    lengths_ = add("Add", {lengths_, number("first", 1)}, named("lengths"));
    lengths_i32_ = add("Cast", {lengths_}, named("lengths_i32"),
                       {{"to", static_cast<std::int64_t>(OnnxType::i32)}});
    steps_of_ = c.name + ".";
    mask_.clear();
  }

  /// In a stream: the steps that a window of the convolution needs, (span, N, C). The last span - 1
  /// steps are an input, and the output for the next step.
  std::string with_last_steps(const spec::Conv1dSpec& c) {
    const std::int64_t steps = c.windows.span() - 1;
    const std::string in = c.name + ".steps_0", out = c.name + ".steps_n";
    const std::vector<float> zeros(static_cast<std::size_t>(steps * c.in_channels));
    graph_.constant(in, {steps, 1, c.in_channels}, std::span<const float>(zeros));
    graph_.input({in,
                  OnnxType::f32,
                  {steps, in + "_batch", c.in_channels},
                  "may be left out at the beginning"});
    const std::string before = add("Expand", {in, "state_shape"}, c.name + ".steps_before");
    const std::string all =
        add("Concat", {before, x_}, c.name + ".steps", {{"axis", std::int64_t{0}}});
    add("Slice", {all, graph_.integers({1}), graph_.integers({steps + 1})}, out);
    graph_.output({out, OnnxType::f32, {steps, "batch", c.in_channels}, "input of the next step"});
    return all;
  }

  /// sign(x) log(1 + |x|). log(u) |x| / (u - 1) with u = 1 + |x| carries the rounding error of u;
  /// where u is 1, it is |x|.
  void symlog_of(const std::string& name) {
    const std::string sign = add("Sign", {x_}, name + "_sign"),
                      size = add("Abs", {x_}, name + "_size");
    const std::string one = scalar(name + "_one", 1);
    const std::string above = add("Add", {size, one}, name + "_above");
    const std::string rounded = add("Sub", {above, one}, name + "_rounded"),
                      error = add("Div", {size, rounded}, name + "_error"),
                      log = add("Mul", {add("Log", {above}, name + "_log"), error},
                                name + "_size_log"),
                      is_above = add("Greater", {above, one}, name + "_is_above");
    step("Mul", {sign, add("Where", {is_above, log, size}, name + "_of_size")}, name);
  }

  // ---- states -------------------------------------------------------------------------------

  /// Declares the input, and expands it to the size of the batch: (L D, N, H).
  std::string initial_state(const spec::RecurrentSpec& r, const char* token) {
    const std::int64_t states = r.num_layers * r.directions();
    const std::string name = fmt::format("{}.{}", r.name, token);
    const std::vector<float> values =
        r.learn_initial_state
            ? weights_(name)
            : std::vector<float>(static_cast<std::size_t>(states * r.hidden_size));
    graph_.constant(name, {states, 1, r.hidden_size}, std::span<const float>(values));
    graph_.input(
        {name,
         OnnxType::f32,
         {states, name + "_batch", r.hidden_size},
         r.learn_initial_state ? "may be left out: the learnt state" : "may be left out: zeros"});
    return add("Expand", {name, "state_shape"}, fmt::format("{}.all_{}", r.name, token));
  }

  /// The part of layer l, (D, N, H).
  std::string state_of(const spec::RecurrentSpec& r, std::int64_t l, const std::string& all,
                       const std::string& name) {
    if (r.num_layers == 1) return all;
    const std::int64_t d = r.directions();
    return add("Slice", {all, graph_.integers({l * d}), graph_.integers({(l + 1) * d})}, name);
  }

  void final_state(const spec::RecurrentSpec& r, const char* token, const Strings& layers) {
    const std::string name = fmt::format("{}.{}", r.name, token);
    if (layers.size() > 1) graph_.node("Concat", layers, {name}, {{"axis", std::int64_t{0}}});
    graph_.output({name,
                   OnnxType::f32,
                   {r.num_layers * r.directions(), "batch", r.hidden_size},
                   "after the last step"});
  }

  /// Turns (T, D, N, H) into (T, N, D H).
  std::string side_by_side(const spec::RecurrentSpec& r, const std::string& y,
                           const std::string& name) {
    if (!r.bidirectional) return add("Squeeze", {y, graph_.integers({1})}, name);
    const std::string turned =
        add("Transpose", {y}, name + "_turned", {{"perm", std::vector<std::int64_t>{0, 2, 1, 3}}});
    return add("Reshape", {turned, graph_.integers({0, 0, 2 * r.hidden_size})}, name);
  }

  // ---- outputs ------------------------------------------------------------------------------

  void end() {
    std::vector<OnnxDimension> shape = {"batch"};
    const spec::Features& out = features_.back();
    if (out.kind == spec::Features::Kind::sequence) {
      if (const std::string within = mask(); !within.empty())
        x_ = add("Where", {within, x_, scalar("past_the_end", 0)}, "masked");
      if (options_.streaming) {
        add("Squeeze", {x_, graph_.integers({0})}, "output");
      } else {
        add("Transpose", {x_}, "output", {{"perm", std::vector<std::int64_t>{1, 0, 2}}});
        shape.push_back("time");
      }
    }
    shape.push_back(out.size());
    graph_.output({"output", OnnxType::f32, shape, std::string(spec::name_of(spec_.output))});
  }

  static std::vector<OnnxAttribute> windows(Size2d kernel, Size2d stride, Size2d padding) {
    const auto pair = [](Size2d e) { return std::vector<std::int64_t>{e.height, e.width}; };
    return {{"kernel_shape", pair(kernel)},
            {"strides", pair(stride)},
            {"pads", std::vector<std::int64_t>{padding.height, padding.width, padding.height,
                                               padding.width}}};
  }

  const spec::ModelSpec& description_;
  const spec::ModelSpec spec_;  // with a layer for the scaling of its input
  std::vector<spec::Features> features_;
  Weights weights_;
  OnnxOptions options_;
  OnnxGraph graph_;
  std::size_t at_ = 0;  // index of the current layer
  std::string x_, lengths_, lengths_i32_, mask_;
  std::string steps_of_;  // the name of the last layer that changed the number of steps, and a dot
  Strings into_;          // the name of each layer's input
};

}  // namespace

OnnxModel onnx(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights,
               const OnnxOptions& options) {
  check(spec, options);
  return Builder(spec, weights, options).build();
}

}  // namespace unroll::exporter
