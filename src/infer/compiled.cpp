#include "infer/compiled.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <new>

#include "core/float_environment.h"
#include "io/safetensors_header.h"
#include "kernels/table.h"
#include "kernels/transpose.h"
#include "spec/cells.h"
#include "spec/layer_weights.h"
#include "unroll/core/error.h"

namespace unroll::infer {
namespace {

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// Converts the weights and makes the stages from them.
template <class T>
class Compiler {
 public:
  Compiler(const std::vector<spec::Features>& features, std::span<const io::ArrayView> weights)
      : features_(features) {
    for (const auto& w : weights) values_[w.name] = io::floats_of<T>(w);
  }

  std::size_t at = 0;  // index of the current layer

  Stage<T> operator()(const spec::RecurrentSpec& r) {
    Recurrent<T> stage;
    stage.first = directions_;
    stage.state = size(r.state_size());
    stage.hidden = size(r.hidden_size);
    stage.memory = spec::info_of(r).has_memory();
    stage.readout = r.readout;
    stage.zoneout_h = static_cast<T>(r.zoneout_h);
    stage.zoneout_c = static_cast<T>(r.zoneout_c);
    pack(r, stage);
    if (r.learn_initial_state) {
      stage.h_0 = take(r.name + ".h_0");
      if (stage.memory) stage.c_0 = take(r.name + ".c_0");
    }
    directions_ += stage.shape.count();
    return stage;
  }

  Stage<T> operator()(const spec::LinearSpec& l) {
    Linear<T> stage;
    stage.inputs = size(l.in_features);
    stage.outputs = size(l.out_features);
    const auto& weight = values_.at(l.name + ".weight");  // (O, I)
    stage.weight.resize(weight.size());
    kernels::transpose(weight.data(), stage.outputs, stage.inputs, stage.weight.data(),
                       stage.outputs);
    if (l.bias) stage.bias = take(l.name + ".bias");
    return RowStage<T>(std::move(stage));
  }

  Stage<T> operator()(const spec::ActivationSpec& a) {
    return RowStage<T>(Activate{a.function, size(features_[at].size())});
  }

  Stage<T> operator()(const spec::EmbeddingSpec& e) {
    return RowStage<T>(
        Embedding<T>{size(e.num_embeddings), size(e.embedding_dim), take(e.name + ".weight")});
  }

  Stage<T> operator()(const spec::LayerNormSpec& n) {
    LayerNorm<T> stage{size(n.features), n.eps, {}, {}};
    if (n.elementwise_affine) stage.weight = take(n.name + ".weight");
    if (n.has_bias()) stage.bias = take(n.name + ".bias");
    return RowStage<T>(std::move(stage));
  }

  Stage<T> operator()(const spec::Conv1dSpec& c) {
    StepConvolution<T> stage;
    stage.shape.batch = 1;
    stage.shape.channels = size(c.in_channels);
    stage.shape.outputs = size(c.out_channels);
    stage.shape.groups = size(c.groups);
    stage.shape.windows = c.windows;
    const auto& weight = values_.at(c.name + ".weight");  // (O, C / G, K)
    stage.packed.resize(weight.size());
    kernels::pack_convolution1d(stage.shape, weight.data(), stage.packed.data());
    if (c.bias) stage.bias = take(c.name + ".bias");
    return stage;
  }

  Stage<T> operator()(const spec::Conv2dSpec& c) {
    const spec::Features &in = features_[at], &out = features_[at + 1];
    Convolve<T> stage;
    stage.shape.batch = 1;
    stage.shape.channels = size(in.channels);
    stage.shape.outputs = size(out.channels);
    stage.shape.input = {in.height, in.width};
    stage.shape.kernel = c.kernel;
    stage.shape.output = {out.height, out.width};
    stage.shape.stride = c.stride;
    stage.shape.padding = c.padding;
    stage.weight = take(c.name + ".weight");
    if (c.bias) stage.bias = take(c.name + ".bias");
    return ImageStage<T>(std::move(stage));
  }

  Stage<T> operator()(const spec::MaxPool2dSpec& p) {
    const spec::Features& in = features_[at];
    return ImageStage<T>(Pool{size(in.channels),
                              {in.height, p.kernel.height, p.stride.height, p.padding.height},
                              {in.width, p.kernel.width, p.stride.width, p.padding.width}});
  }

  Stage<T> operator()(const spec::FlattenSpec&) { return ImageStage<T>(Flatten{}); }

  Stage<T> operator()(const spec::ScaleSpec& s) {
    const auto width = size(features_[at].width);
    const auto each = [&](const std::vector<double>& values) {
      std::vector<T> all(width);
      for (std::size_t j = 0; j < width; ++j)
        all[j] = static_cast<T>(values.size() == 1 ? values[0] : values[j]);
      return all;
    };
    return RowStage<T>(Scale<T>{each(s.mean), each(s.std)});
  }

  Stage<T> operator()(const spec::ResidualSpec& r) {
    return RowStage<T>(Residual{at - size(r.over), size(features_[at].size())});
  }

 private:
  std::vector<T> take(const std::string& name) { return std::move(values_.at(name)); }

  void pack(const spec::RecurrentSpec& r, Recurrent<T>& stage) {
    kernels::RecurrentShape& first = stage.shape.first;
    first.cell = spec::kernel_of(r.cell, r.nonlinearity);
    first.batch = first.steps = 1;
    first.input = size(r.input_size);
    first.hidden = stage.hidden;
    first.projection = size(r.proj_size);
    first.bias = r.bias;
    first.layer_norm = r.layer_norm;
    first.zoneout = r.zoneout_h > 0 || r.zoneout_c > 0;
    stage.shape.layers = size(r.num_layers);
    stage.shape.directions = size(r.directions());
    std::vector<kernels::RecurrentWeights<T>> weights(stage.shape.count());
    for (std::int64_t l = 0; l < r.num_layers; ++l)
      for (std::int64_t d = 0; d < r.directions(); ++d)
        for (const spec::LayerWeight& weight : spec::layer_weights(r, l, d))
          weights[size(l * r.directions() + d)][weight.role] =
              values_.at(fmt::format("{}.{}", r.name, weight.name)).data();
    stage.packed = std::make_unique<const kernels::PackedStack<T>>(stage.shape, weights);
  }

  const std::vector<spec::Features>& features_;
  std::map<std::string, std::vector<T>> values_;
  std::size_t directions_ = 0;  // directions of all recurrent layers so far
};

}  // namespace

template <class T>
Compiled<T>::Compiled(const spec::ModelSpec& s, std::span<const io::ArrayView> weights)
    : spec(s), features(spec::features_of(spec::with_scale_layer(s))) {
  std::map<std::string, spec::Sizes> shapes;
  for (const auto& w : weights) {
    shapes[w.name] = w.shape;
    std::uint64_t bytes = 0;
    if (!io::bytes_of(w.type, w.shape, bytes) || bytes != w.data.size())
      throw FormatError("model", fmt::format("{} has {} bytes, its shape needs {}", w.name,
                                             w.data.size(), bytes));
  }
  const std::string misfits = spec::differences(spec, shapes);
  if (!misfits.empty()) throw FormatError("model", misfits);
  kernels::table<T>();  // an invalid UNROLL_ISA throws here, never later
  const FloatEnvironment environment;
  Compiler<T> compiler(features, weights);
  const spec::ModelSpec network = spec::with_scale_layer(spec);
  for (; compiler.at < network.layers.size(); ++compiler.at)
    stages.push_back(std::visit(compiler, network.layers[compiler.at]));
  has_step_convolutions_ = std::ranges::any_of(stages, [](const Stage<T>& stage) {
    return std::holds_alternative<StepConvolution<T>>(stage);
  });
}

template <class T>
std::size_t Compiled<T>::sequence_stages() const {
  std::size_t count = 0;
  while (count < stages.size() && features[count].is_sequence()) ++count;
  return count;
}

template <class T>
std::size_t Compiled<T>::steps_at(std::size_t i, std::size_t steps) const {
  if (!has_step_convolutions_) return steps;
  for (std::size_t before = 0; before < i; ++before)
    if (const auto* c = std::get_if<StepConvolution<T>>(&stages[before]))
      steps = steps == 0 ? 0 : size(c->shape.windows.outputs(static_cast<std::int64_t>(steps)));
  return steps;
}

template <class T>
bool Compiled<T>::is_kept(std::size_t i) const {
  return std::ranges::any_of(stages, [i](const Stage<T>& stage) {
    const auto* row = std::get_if<RowStage<T>>(&stage);
    const auto* r = row ? std::get_if<Residual>(row) : nullptr;
    return r && r->from == i;
  });
}

template struct Compiled<float>;
template struct Compiled<double>;

}  // namespace unroll::infer
