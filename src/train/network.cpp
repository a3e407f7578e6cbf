#include "train/network.h"

#include <algorithm>
#include <map>
#include <memory_resource>
#include <utility>

#include "nn/described_recurrent.h"
#include "nn/lengths.h"
#include "nn/scale.h"
#include "tensor/tensor_impl.h"
#include "train/single_steps.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/activation_regularisation.h"
#include "unroll/nn/conv1d.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/embedding.h"
#include "unroll/nn/layer_norm.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/max_pool2d.h"
#include "unroll/nn/readout.h"

namespace unroll::train {
namespace {

nn::Readout readout_of(spec::Readout readout) {
  switch (readout) {
    case spec::Readout::mean:
      return nn::Readout::mean;
    case spec::Readout::max:
      return nn::Readout::max;
    case spec::Readout::mean_last:
      return nn::Readout::mean_last;
    case spec::Readout::every_step:
      return nn::Readout::every_step;
    case spec::Readout::last:
      break;
  }
  return nn::Readout::last;
}

/// The readout as spec::Readout defines it: with two directions, the last state is the end of each.
Tensor read_out(const spec::RecurrentSpec& r, const Tensor& output, const Tensor& h_n,
                const nn::BatchLayout& layout) {
  const bool last = r.readout == spec::Readout::last || r.readout == spec::Readout::mean_last;
  if (!r.bidirectional || !last) return nn::readout(output, readout_of(r.readout), layout);
  const Tensor ends = cat(h_n.select(0, -2), h_n.select(0, -1), 1);
  if (r.readout == spec::Readout::last) return ends;
  return cat(nn::readout(output, nn::Readout::mean, layout), ends, 1);
}

/// Appends the penalties on a recurrent layer's states.
void penalise(const Tensor& output, double ar, double tar, const nn::BatchLayout& layout,
              std::vector<Tensor>& to) {
  if (ar > 0) to.push_back(nn::activation_regularisation(output, ar, layout));
  if (tar > 0) to.push_back(nn::temporal_activation_regularisation(output, tar, layout));
}

}  // namespace

/// Makes the modules and stages of all layers.
struct Network::Builder {
  Network& model;
  const std::vector<spec::LayerSpec>& layers;
  const std::vector<spec::Features> features;
  Generator& generator;
  const NetworkOptions& options;
  std::size_t at = 0;                              // index of the layer
  bool is_first = true;                            // no layer with weights so far
  std::string last_name = {};                      // of the last layer with weights
  std::map<std::size_t, std::size_t> places = {};  // index in Pass::kept of a layer's input

  /// Keeps this layer's input if a residual connection adds it later.
  void keep_input() {
    for (std::size_t i = at; i < layers.size(); ++i) {
      const auto* r = std::get_if<spec::ResidualSpec>(&layers[i]);
      if (!r || i - static_cast<std::size_t>(r->over) != at) continue;
      places[at] = model.kept_++;
      model.stages_.emplace_back(
          [place = places[at]](const Tensor& x, const Pass& pass) { return pass.kept[place] = x; });
      return;
    }
  }

  template <class M, class... Args>
  M* make(Args&&... args) {
    auto module = std::make_unique<M>(std::forward<Args>(args)...);
    M* const made = module.get();
    model.modules_.push_back(std::move(module));
    return made;
  }

  /// A stage of a layer with weights and without states.
  template <class M>
  void add_observed(const M* layer, const std::string& name) {
    last_name = name;
    model.stages_.emplace_back([layer, name](const Tensor& x, const Pass& pass) {
      const Tensor y = (*layer)(x);
      if (pass.call.observer) pass.call.observer->output(name, y);
      return y;
    });
  }

  /// A stage of an activation function.
  void add_activation(Tensor (*function)(const Tensor&), bool is_relu) {
    model.stages_.emplace_back(
        [function, is_relu, name = last_name](const Tensor& x, const Pass& pass) {
          const Tensor y = function(x);
          if (pass.call.observer && !name.empty()) pass.call.observer->activated(name, y, is_relu);
          return y;
        });
  }

  void drop_input(const std::string& layer) {
    if (std::exchange(is_first, false) || options.dropout == 0) return;
    auto* drop = make<nn::Dropout>(model.child("dropout before " + layer), options.dropout,
                                   nn::DropoutOptions{.generator = &generator});
    model.masks_.push_back(&drop->masks());
    model.stages_.emplace_back([drop](const Tensor& x, const Pass&) { return (*drop)(x); });
  }

  void operator()(const spec::RecurrentSpec& r) {
    drop_input(r.name);
    last_name = r.name;
    auto* layer =
        make<nn::DescribedRecurrent>(model.child(r.name), r,
                                     nn::TrainingOptions{.dropout = options.dropout,
                                                         .regularisation = options.regularisation,
                                                         .forget_bias = options.forget_bias,
                                                         .dtype = options.dtype,
                                                         .precision = options.precision,
                                                         .generator = &generator});
    model.recurrent_.push_back(layer);
    model.masks_.push_back(&layer->masks());
    model.stages_.emplace_back(
        [layer, r, ar = options.ar, tar = options.tar](const Tensor& x, const Pass& pass) {
          const nn::BatchLayout layout{.lengths = pass.lengths, .batch_first = true};
          const bool single = pass.call.observer && !r.bidirectional && r.num_layers == 1;
          const auto [output, h_n, c_n] =
              single ? in_single_steps(*layer, r, x, pass.state, *pass.call.observer)
                     : (*layer)(x, pass.state, {.lengths = pass.lengths});
          if (pass.call.observer && !single) pass.call.observer->output(r.name, output);
          pass.state = nn::State{h_n, c_n}.detach();
          penalise(output, ar, tar, layout, pass.call.penalties);
          return read_out(r, output, h_n, layout);
        });
  }

  void operator()(const spec::LinearSpec& l) {
    drop_input(l.name);
    const auto* layer = make<nn::Linear>(
        model.child(l.name), l.in_features, l.out_features,
        nn::LinearOptions{.bias = l.bias, .dtype = options.dtype, .generator = &generator});
    add_observed(layer, l.name);
  }

  void operator()(const spec::ActivationSpec& a) {
    switch (a.function) {
      case spec::Activation::relu:
        return add_activation(relu, true);
      case spec::Activation::tanh:
        return add_activation(tanh, false);
      case spec::Activation::sigmoid:
        return add_activation(sigmoid, false);
      case spec::Activation::symlog:
        return add_activation(symlog, false);
    }
  }

  void operator()(const spec::Conv1dSpec& c) {
    drop_input(c.name);
    last_name = c.name;
    const auto* layer =
        make<nn::Conv1d>(model.child(c.name), c.in_channels, c.out_channels, c.windows.kernel,
                         nn::Conv1dOptions{.stride = c.windows.stride,
                                           .padding = c.windows.padding,
                                           .dilation = c.windows.dilation,
                                           .groups = c.groups,
                                           .causal = c.windows.causal,
                                           .bias = c.bias,
                                           .dtype = options.dtype,
                                           .generator = &generator});
    model.stages_.emplace_back([layer, name = c.name](const Tensor& x, const Pass& pass) {
      const Tensor y = (*layer)(x, pass.lengths);
      for (std::int64_t& steps : pass.lengths) steps = layer->outputs(steps);
      if (pass.call.observer) pass.call.observer->output(name, y);
      return y;
    });
  }

  void operator()(const spec::Conv2dSpec& c) {
    drop_input(c.name);
    const auto* layer =
        make<nn::Conv2d>(model.child(c.name), c.in_channels, c.out_channels, c.kernel,
                         nn::Conv2dOptions{.stride = c.stride,
                                           .padding = c.padding,
                                           .bias = c.bias,
                                           .dtype = options.dtype,
                                           .generator = &generator});
    add_observed(layer, c.name);
  }

  void operator()(const spec::MaxPool2dSpec& p) {
    model.stages_.emplace_back([p](const Tensor& x, const Pass&) {
      return nn::max_pool2d(x, p.kernel, {.stride = p.stride, .padding = p.padding});
    });
  }

  void operator()(const spec::FlattenSpec&) {
    model.stages_.emplace_back([](const Tensor& x, const Pass&) {
      return x.contiguous().view({x.size(0), -1});
    });
  }

  void operator()(const spec::ScaleSpec& s) {
    const std::int64_t width = features[at].width;
    const auto each = [&](std::vector<double> values) {
      values.resize(static_cast<std::size_t>(width), values.front());
      return Tensor::from(values, {width}).to(options.dtype);
    };
    model.stages_.emplace_back(
        [mean = each(s.mean), std = each(s.std)](const Tensor& x, const Pass&) {
          return nn::scale(x, mean, std);
        });
  }

  void operator()(const spec::ResidualSpec& r) {
    const std::size_t place = places.at(at - static_cast<std::size_t>(r.over));
    model.stages_.emplace_back(
        [place](const Tensor& x, const Pass& pass) { return pass.kept[place] + x; });
  }

  void operator()(const spec::EmbeddingSpec& e) {
    is_first = false;
    const auto* layer =
        make<nn::Embedding>(model.child(e.name), e.num_embeddings, e.embedding_dim,
                            nn::EmbeddingOptions{.dtype = options.dtype, .generator = &generator});
    add_observed(layer, e.name);
  }

  void operator()(const spec::LayerNormSpec& n) {
    const auto* layer =
        make<nn::LayerNorm>(model.child(n.name), Shape{n.features},
                            nn::LayerNormOptions{.eps = n.eps,
                                                 .elementwise_affine = n.elementwise_affine,
                                                 .bias = n.bias,
                                                 .dtype = options.dtype});
    add_observed(layer, n.name);
  }
};

Network::Network(const spec::ModelSpec& spec, Generator& generator, const NetworkOptions& options)
    : reads_sequences_(spec::features_of(spec).front().is_sequence()) {
  const spec::ModelSpec network = spec::with_scale_layer(spec);
  Builder builder{*this, network.layers, spec::features_of(network), generator, options};
  for (; builder.at < network.layers.size(); ++builder.at) {
    builder.keep_input();
    std::visit(builder, network.layers[builder.at]);
  }
}

Tensor Network::operator()(const Tensor& x, std::span<const std::int64_t> lengths) const {
  States from_start;
  std::vector<Tensor> penalties;
  return (*this)(x, from_start, penalties, lengths);
}

Tensor Network::operator()(const Tensor& x, Observer& observer,
                           std::span<const std::int64_t> lengths) const {
  States from_start;
  std::vector<Tensor> penalties;
  return through(x, from_start, {penalties, lengths, &observer});
}

Tensor Network::operator()(const Tensor& x, States& states, std::vector<Tensor>& penalties,
                           std::span<const std::int64_t> lengths) const {
  if (!lengths.empty()) {
    if (!reads_sequences_)
      throw ShapeError("train", "the model reads no sequences, so it takes no lengths");
    nn::check_lengths("train", lengths, x.size(0), x.size(1));
  }
  return through(x, states, {penalties, lengths});
}

Tensor Network::through(const Tensor& x, States& states, const Call& call) const {
  states.resize(stages_.size());
  std::pmr::vector<Tensor> kept(kept_, current_workspace().get());
  // Convolutions change the lengths for the layers after them.
  std::pmr::vector<std::int64_t> lengths(call.lengths.begin(), call.lengths.end(),
                                         current_workspace().get());
  Tensor y = x;
  for (std::size_t i = 0; i < stages_.size(); ++i)
    y = stages_[i](y, {call, states[i], kept, lengths});
  return y;
}

}  // namespace unroll::train
