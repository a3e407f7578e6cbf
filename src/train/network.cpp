#include "train/network.h"

#include <fmt/format.h>

#include <type_traits>

#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/activation_regularisation.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/gru.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/lstm.h"
#include "unroll/nn/max_pool2d.h"
#include "unroll/nn/readout.h"
#include "unroll/nn/rnn.h"

namespace unroll::train {
namespace {

nn::Size2d size(const spec::Extent& e) { return {e.height, e.width}; }

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

/// The readout as spec::Readout defines it: the last state of two directions is where each ended.
Tensor read(const spec::RecurrentSpec& r, const Tensor& output, const Tensor& h_n) {
  const nn::BatchLayout layout{.batch_first = true};
  const bool last = r.readout == spec::Readout::last || r.readout == spec::Readout::mean_last;
  if (!r.bidirectional || !last) return nn::readout(output, readout_of(r.readout), layout);
  const Tensor ends = cat(h_n.select(0, -2), h_n.select(0, -1), 1);
  if (r.readout == spec::Readout::last) return ends;
  return cat(nn::readout(output, nn::Readout::mean, layout), ends, 1);
}

/// Adds the penalties on a recurrent layer's states to `sum`.
void penalise(const Tensor& output, double ar, double tar, Tensor& sum) {
  const nn::BatchLayout layout{.batch_first = true};
  const auto add = [&](const Tensor& penalty) { sum = sum.defined() ? sum + penalty : penalty; };
  if (ar > 0) add(nn::activation_regularisation(output, ar, layout));
  if (tar > 0) add(nn::temporal_activation_regularisation(output, tar, layout));
}

}  // namespace

/// Makes one module after the other.
struct Network::Builder {
  Network& model;
  Generator& generator;
  const NetworkOptions& options;

  template <class M, class... Args>
  M* make(Args&&... args) {
    auto module = std::make_unique<M>(std::forward<Args>(args)...);
    M* const made = module.get();
    model.modules_.push_back(std::move(module));
    return made;
  }

  void drop_input(const std::string& layer) {
    if (options.dropout == 0 || model.modules_.empty()) return;
    auto* drop = make<nn::Dropout>(model.child("dropout before " + layer), options.dropout,
                                   nn::DropoutOptions{.generator = &generator});
    model.masks_.push_back(&drop->masks());
    model.stages_.emplace_back([drop](const Tensor& x, const Pass&) { return (*drop)(x); });
  }

  /// The options that all recurrent layers share.
  template <class Options>
  Options recurrent_options(const spec::RecurrentSpec& r) const {
    Options o;
    o.num_layers = r.num_layers;
    o.bias = r.bias;
    o.batch_first = true;
    o.dropout = options.dropout;
    o.bidirectional = r.bidirectional;
    o.regularisation = options.regularisation;
    o.regularisation.layer_norm = r.layer_norm;
    o.regularisation.zoneout = {r.zoneout_h, r.zoneout_c};
    o.learn_initial_state = r.learn_initial_state;
    o.dtype = options.dtype;
    o.precision = options.precision;
    o.generator = &generator;
    return o;
  }

  template <class M, class Options>
  void add_recurrent(const spec::RecurrentSpec& r, const Options& o) {
    M* layer = make<M>(model.child(r.name), r.input_size, r.hidden_size, o);
    model.recurrent_.push_back(layer);
    model.masks_.push_back(&layer->masks());
    model.stages_.emplace_back(
        [layer, r, ar = options.ar, tar = options.tar](const Tensor& x, const Pass& pass) {
          nn::State& state = pass.state;
          if constexpr (std::is_same_v<M, nn::Lstm>) {
            const auto result = (*layer)(x, state);
            state = nn::State{result.h_n, result.c_n}.detach();
            penalise(result.output, ar, tar, pass.penalty);
            return read(r, result.output, result.h_n);
          } else {
            const auto result = (*layer)(x, state.h);
            state.h = result.h_n.detach();
            penalise(result.output, ar, tar, pass.penalty);
            return read(r, result.output, result.h_n);
          }
        });
  }

  void operator()(const spec::RecurrentSpec& r) {
    drop_input(r.name);
    switch (r.cell) {
      case spec::Cell::rnn: {
        auto o = recurrent_options<nn::RnnOptions>(r);
        o.nonlinearity = r.nonlinearity;
        return add_recurrent<nn::Rnn>(r, o);
      }
      case spec::Cell::lstm: {
        auto o = recurrent_options<nn::LstmOptions>(r);
        o.proj_size = r.proj_size;
        o.forget_bias = options.forget_bias;
        return add_recurrent<nn::Lstm>(r, o);
      }
      case spec::Cell::gru:
        return add_recurrent<nn::Gru>(r, recurrent_options<nn::GruOptions>(r));
    }
  }

  void operator()(const spec::LinearSpec& l) {
    drop_input(l.name);
    const auto* layer = make<nn::Linear>(
        model.child(l.name), l.in_features, l.out_features,
        nn::LinearOptions{.bias = l.bias, .dtype = options.dtype, .generator = &generator});
    model.stages_.emplace_back([layer](const Tensor& x, const Pass&) { return (*layer)(x); });
  }

  void operator()(const spec::ActivationSpec& a) {
    switch (a.function) {
      case spec::Activation::relu:
        model.stages_.emplace_back([](const Tensor& x, const Pass&) { return relu(x); });
        return;
      case spec::Activation::tanh:
        model.stages_.emplace_back([](const Tensor& x, const Pass&) { return tanh(x); });
        return;
      case spec::Activation::sigmoid:
        model.stages_.emplace_back([](const Tensor& x, const Pass&) { return sigmoid(x); });
        return;
    }
  }

  void operator()(const spec::Conv2dSpec& c) {
    drop_input(c.name);
    const auto* layer =
        make<nn::Conv2d>(model.child(c.name), c.in_channels, c.out_channels, size(c.kernel),
                         nn::Conv2dOptions{.stride = size(c.stride),
                                           .padding = size(c.padding),
                                           .bias = c.bias,
                                           .dtype = options.dtype,
                                           .generator = &generator});
    model.stages_.emplace_back([layer](const Tensor& x, const Pass&) { return (*layer)(x); });
  }

  void operator()(const spec::MaxPool2dSpec& p) {
    model.stages_.emplace_back([p](const Tensor& x, const Pass&) {
      return nn::max_pool2d(x, size(p.kernel),
                            {.stride = size(p.stride), .padding = size(p.padding)});
    });
  }

  void operator()(const spec::FlattenSpec&) {
    model.stages_.emplace_back([](const Tensor& x, const Pass&) {
      return x.contiguous().view({x.size(0), -1});
    });
  }

  void operator()(const spec::ScaleSpec&) const { refuse("an input scaling"); }
  void operator()(const spec::ResidualSpec&) const { refuse("residual connections"); }

  [[noreturn]] static void refuse(std::string_view what) {
    throw ValueError("train", fmt::format("a model with {} can't be trained here, only run", what));
  }
};

Network::Network(const spec::ModelSpec& spec, Generator& generator, const NetworkOptions& options) {
  spec::features_of(spec);
  Builder builder{*this, generator, options};
  for (const spec::LayerSpec& layer : spec.layers) std::visit(builder, layer);
}

Tensor Network::operator()(const Tensor& x) const {
  States from_start;
  Tensor penalty;
  return (*this)(x, from_start, penalty);
}

Tensor Network::operator()(const Tensor& x, States& states, Tensor& penalty) const {
  states.resize(stages_.size());
  penalty = Tensor();
  Tensor y = x;
  for (std::size_t i = 0; i < stages_.size(); ++i) y = stages_[i](y, {states[i], penalty});
  return y;
}

}  // namespace unroll::train
