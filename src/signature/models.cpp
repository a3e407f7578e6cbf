#include "signature/models.h"

#include <vector>

#include "unroll/autograd/ops.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/init.h"
#include "unroll/nn/layer_norm.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/max_pool2d.h"
#include "unroll/nn/rnn.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/muon.h"
#include "unroll/optim/sgd.h"

namespace unroll::signature {
namespace {

constexpr std::int64_t kClasses = 10;

nn::RnnOptions rnn_options(const Setup& s, Generator& generator) {
  return {.num_layers = s.layers,
          .nonlinearity = s.nonlinearity,
          .bias = s.bias,
          .batch_first = true,
          .dtype = s.dtype,
          .generator = &generator};
}

/// (N, 1, T, I) to (N, T, I)
Tensor rows_of(const Tensor& images) {
  return images.view({images.size(0), images.size(2), images.size(3)});
}

struct Recurrent : Network {
  nn::Rnn rnn;
  nn::Linear fc;

  Recurrent(const Setup& s, Generator& generator)
      : rnn(child("rnn"), s.inputs, s.hidden, rnn_options(s, generator)),
        fc(child("fc"), s.hidden, kClasses, {.dtype = s.dtype, .generator = &generator}) {
    if (!s.orthogonal) return;
    for (const auto& layer : rnn.layers())
      nn::init::orthogonal(layer[WeightRole::weight_hh], generator);
  }

  Tensor loss(const data::Batch& batch) const override {
    return nn::cross_entropy(fc(rnn(rows_of(batch.images)).output.select(1, -1)), batch.labels);
  }
};

/// Covers code that the tutorial's model does not use: gradients of every step and of the layer's
/// input, and the products of the first step with its state.
struct EveryStep : Network {
  nn::Linear embedding;
  nn::Rnn rnn;
  nn::Linear fc;

  EveryStep(const Setup& s, Generator& generator)
      : embedding(child("embedding"), s.inputs, s.hidden / 2,
                  {.dtype = s.dtype, .generator = &generator}),
        rnn(child("rnn"), s.hidden / 2, s.hidden, rnn_options(s, generator)),
        fc(child("fc"), s.hidden, kClasses, {.dtype = s.dtype, .generator = &generator}),
        layers_(s.layers),
        hidden_(s.hidden),
        dtype_(s.dtype) {}

  Tensor loss(const data::Batch& batch) const override {
    const Tensor rows = rows_of(batch.images);
    const Tensor h_0 = Tensor::full({layers_, rows.size(0), hidden_}, 0.25, dtype_);
    const Tensor logits = fc(rnn(embedding(rows), h_0).output).view({-1, kClasses});
    std::vector<std::int64_t> targets;  // each label, repeated for all steps of its sequence
    for (const std::int64_t label : batch.labels.values<std::int64_t>())
      targets.insert(targets.end(), static_cast<std::size_t>(rows.size(1)), label);
    return nn::cross_entropy(logits, Tensor::from(targets, {logits.size(0)}));
  }

 private:
  std::int64_t layers_, hidden_;
  DType dtype_;
};

struct Perceptron : Network {
  nn::Linear in, middle, out;

  Perceptron(const Setup& s, Generator& generator)
      : in(child("in"), s.steps * s.inputs, s.hidden, {.dtype = s.dtype, .generator = &generator}),
        middle(child("middle"), s.hidden, s.hidden, {.dtype = s.dtype, .generator = &generator}),
        out(child("out"), s.hidden, kClasses, {.dtype = s.dtype, .generator = &generator}) {}

  Tensor loss(const data::Batch& batch) const override {
    const Tensor x = batch.images.view({batch.images.size(0), -1});
    return nn::cross_entropy(out(tanh(middle(relu(in(x))))), batch.labels);
  }
};

struct Convolutional : Network {
  nn::Conv2d first, second;
  nn::LayerNorm norm;
  nn::Dropout dropout;
  nn::Linear fc;

  Convolutional(const Setup& s, Generator& generator)
      : first(child("first"), 1, 6, {5, 3},
              {.padding = {2, 1}, .dtype = s.dtype, .generator = &generator}),
        second(child("second"), 6, s.hidden, 3,
               {.stride = {2, 1}, .padding = 1, .dtype = s.dtype, .generator = &generator}),
        norm(child("norm"), places(s), {.dtype = s.dtype}),
        dropout(child("dropout"), 0.25, {.generator = &generator}),
        fc(child("fc"), places(s).numel(), kClasses, {.dtype = s.dtype, .generator = &generator}) {}

  /// The output shape of `second`: pooling halves steps and inputs, then a stride halves the steps
  /// again.
  static Shape places(const Setup& s) { return {s.hidden, (s.steps / 2 + 1) / 2, s.inputs / 2}; }

  Tensor loss(const data::Batch& batch) const override {
    const Tensor pooled = nn::max_pool2d(relu(first(batch.images)), 2);
    const Tensor features = dropout(sigmoid(norm(second(pooled))));
    return nn::cross_entropy(fc(features.view({features.size(0), -1})), batch.labels,
                             {.label_smoothing = 0.1});
  }
};

}  // namespace

std::span<const Setup> setups() {
  constexpr auto f64 = DType::f64;
  static const Setup all[] = {
      {.name = "rnn_relu", .steps = 28, .inputs = 28, .hidden = 100, .batch = 100, .updates = 200},
      {.name = "rnn_tanh", .nonlinearity = Nonlinearity::tanh, .algorithm = Algorithm::nesterov},
      {.name = "rnn_relu_2layers", .layers = 2, .batch = 29, .lr = 0.5},
      {.name = "rnn_tanh_3layers",
       .hidden = 19,
       .layers = 3,
       .nonlinearity = Nonlinearity::tanh,
       .bias = false,
       .lr = 0.5},
      {.name = "rnn_relu_wide", .steps = 5, .inputs = 70, .hidden = 300, .batch = 33},
      {.name = "rnn_tanh_long",
       .steps = 101,
       .inputs = 1,
       .hidden = 23,
       .nonlinearity = Nonlinearity::tanh,
       .algorithm = Algorithm::nesterov,
       .lr = 0.2},
      {.name = "rnn_relu_f64", .dtype = f64, .batch = 17, .lr = 0.5},
      {.name = "rnn_tanh_2layers_f64",
       .layers = 2,
       .nonlinearity = Nonlinearity::tanh,
       .dtype = f64,
       .lr = 0.5},
      {.name = "rnn_every_step",
       .kind = Kind::every_step,
       .layers = 2,
       .nonlinearity = Nonlinearity::tanh,
       .algorithm = Algorithm::nesterov,
       .lr = 0.2},
      {.name = "rnn_adam", .algorithm = Algorithm::adam, .lr = 0.01, .curve = Curve::cosine},
      {.name = "rnn_muon",
       .steps = 13,
       .inputs = 11,
       .layers = 2,
       .orthogonal = true,
       .batch = 31,
       .shift = 1,
       .normalization = {0.1307, 0.3081},
       .algorithm = Algorithm::muon,
       .lr = 0.02,
       .curve = Curve::warmup_linear},
      {.name = "rnn_muon_f64",
       .orthogonal = true,
       .dtype = f64,
       .algorithm = Algorithm::muon,
       .lr = 0.01},
      {.name = "mlp", .kind = Kind::perceptron, .batch = 53, .lr = 0.5},
      {.name = "mlp_adamw_f64",
       .kind = Kind::perceptron,
       .dtype = f64,
       .algorithm = Algorithm::adamw,
       .lr = 0.01},
      {.name = "cnn",
       .kind = Kind::convolutional,
       .steps = 13,
       .inputs = 11,
       .hidden = 17,
       .batch = 35,
       .algorithm = Algorithm::nesterov},
      {.name = "cnn_adam_f64",
       .kind = Kind::convolutional,
       .steps = 13,
       .inputs = 11,
       .hidden = 17,
       .dtype = f64,
       .batch = 17,
       .algorithm = Algorithm::adam,
       .lr = 0.01},
      {.name = "lstm",
       .kind = Kind::family,
       .algorithm = Algorithm::adam,
       .lr = 0.02,
       .cell = spec::Cell::lstm},
      {.name = "gru",
       .kind = Kind::family,
       .algorithm = Algorithm::muon,
       .lr = 0.02,
       .cell = spec::Cell::gru},
      {.name = "lstm_f64",
       .kind = Kind::family,
       .dtype = f64,
       .algorithm = Algorithm::adamw,
       .lr = 0.02,
       .cell = spec::Cell::lstm},
      {.name = "gru_f64",
       .kind = Kind::family,
       .dtype = f64,
       .algorithm = Algorithm::adam,
       .lr = 0.02,
       .cell = spec::Cell::gru},
      {.name = "lstm_wide",
       .kind = Kind::family,
       .steps = 5,
       .hidden = 140,
       .batch = 33,
       .algorithm = Algorithm::adam,
       .lr = 0.02,
       .cell = spec::Cell::lstm},
      {.name = "lstm_projected",
       .kind = Kind::family,
       .layers = 2,
       .batch = 17,
       .algorithm = Algorithm::adam,
       .lr = 0.02,
       .cell = spec::Cell::lstm,
       .bidirectional = true,
       .projection = 13},
      {.name = "gru_ragged",
       .kind = Kind::family,
       .layers = 2,
       .batch = 29,
       .algorithm = Algorithm::adam,
       .lr = 0.02,
       .cell = spec::Cell::gru,
       .bidirectional = true,
       .ragged = true},
      {.name = "rnn_ragged",
       .kind = Kind::family,
       .batch = 29,
       .algorithm = Algorithm::adam,
       .lr = 0.02,
       .bidirectional = true,
       .ragged = true},
      {.name = "rnn_regularised",
       .kind = Kind::family,
       .nonlinearity = Nonlinearity::tanh,
       .batch = 17,
       .algorithm = Algorithm::adam,
       .lr = 0.02,
       .regularised = true},
      {.name = "lstm_regularised",
       .kind = Kind::family,
       .layers = 2,
       .batch = 17,
       .algorithm = Algorithm::adam,
       .lr = 0.02,
       .cell = spec::Cell::lstm,
       .ragged = true,
       .regularised = true},
      {.name = "gru_regularised",
       .kind = Kind::family,
       .layers = 2,
       .batch = 17,
       .algorithm = Algorithm::adam,
       .lr = 0.02,
       .cell = spec::Cell::gru,
       .regularised = true},
      {.name = "lstm_layer_norm",
       .kind = Kind::family,
       .batch = 17,
       .algorithm = Algorithm::adam,
       .lr = 0.02,
       .cell = spec::Cell::lstm,
       .layer_norm = true},
      {.name = "gru_layer_norm",
       .kind = Kind::family,
       .batch = 17,
       .algorithm = Algorithm::adam,
       .lr = 0.02,
       .cell = spec::Cell::gru,
       .layer_norm = true},
  };
  return all;
}

std::unique_ptr<Network> make_network(const Setup& setup, Generator& generator) {
  switch (setup.kind) {
    case Kind::every_step:
      return std::make_unique<EveryStep>(setup, generator);
    case Kind::perceptron:
      return std::make_unique<Perceptron>(setup, generator);
    case Kind::convolutional:
      return std::make_unique<Convolutional>(setup, generator);
    case Kind::family:
      return make_family(setup, generator);
    case Kind::recurrent:
      break;
  }
  return std::make_unique<Recurrent>(setup, generator);
}

std::unique_ptr<optim::Optimizer> make_optimizer(const Setup& setup, const Parameters& parameters) {
  const double lr = setup.lr;
  switch (setup.algorithm) {
    case Algorithm::nesterov:
      return std::make_unique<optim::Sgd>(
          parameters,
          optim::SgdOptions{.lr = lr, .momentum = 0.9, .weight_decay = 1e-3, .nesterov = true});
    case Algorithm::adam:
      return std::make_unique<optim::Adam>(parameters, optim::AdamOptions{.lr = lr});
    case Algorithm::adamw:
      return std::make_unique<optim::AdamW>(parameters, optim::AdamWOptions{.lr = lr});
    case Algorithm::muon:
      return std::make_unique<optim::Muon>(parameters, optim::MuonOptions{.lr = lr});
    case Algorithm::sgd:
      break;
  }
  return std::make_unique<optim::Sgd>(parameters, optim::SgdOptions{.lr = lr});
}

optim::Schedule make_schedule(const Setup& setup) {
  switch (setup.curve) {
    case Curve::cosine:
      return optim::cosine_schedule(setup.updates);
    case Curve::warmup_linear:
      return optim::warmup_linear_schedule(setup.updates);
    case Curve::constant:
      break;
  }
  return optim::constant_schedule();
}

}  // namespace unroll::signature
