#include "signature/models.h"

#include <vector>

#include "autograd/elementwise.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/conv1d.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/embedding.h"
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

  void loss(const Part& part, std::vector<Tensor>& terms) const override {
    const auto [output, h_n] = rnn(rows_of(part.images), part.state.h);
    part.state = nn::State{h_n, {}}.detach();
    terms.push_back(cross_entropy(fc(output.select(1, -1)), part.labels, part.batch));
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

  void loss(const Part& part, std::vector<Tensor>& terms) const override {
    const Tensor rows = rows_of(part.images);
    const Tensor h_0 = Tensor::full({layers_, rows.size(0), hidden_}, 0.25, dtype_);
    const Tensor logits = fc(rnn(embedding(rows), h_0).output).view({-1, kClasses});
    std::vector<std::int64_t> targets;  // each label, repeated for all steps of its sequence
    for (const std::int64_t label : part.labels.values<std::int64_t>())
      targets.insert(targets.end(), static_cast<std::size_t>(rows.size(1)), label);
    terms.push_back(
        cross_entropy(logits, Tensor::from(targets, {logits.size(0)}), part.batch * rows.size(1)));
  }

 private:
  std::int64_t layers_, hidden_;
  DType dtype_;
};

struct Tokens : Network {
  nn::Embedding embedding;
  nn::LayerNorm norm;
  nn::Rnn rnn;
  nn::Linear fc;

  Tokens(const Setup& s, Generator& generator)
      : embedding(child("embedding"), kTokens, s.hidden / 2,
                  {.dtype = s.dtype, .generator = &generator}),
        norm(child("norm"), Shape{s.hidden / 2}, {.dtype = s.dtype}),
        rnn(child("rnn"), s.hidden / 2, s.hidden, rnn_options(s, generator)),
        fc(child("fc"), s.hidden, kClasses, {.dtype = s.dtype, .generator = &generator}) {}

  void loss(const Part& part, std::vector<Tensor>& terms) const override {
    std::vector<std::int64_t> tokens;  // of pixels in [0, 1]
    for (const double pixel : part.images.to_vector())
      tokens.push_back(static_cast<std::int64_t>(pixel * (kTokens - 1)));
    const Tensor x =
        norm(embedding(Tensor::from(tokens, {part.images.size(0), part.images.size(2)})));
    terms.push_back(cross_entropy(fc(rnn(x).output.select(1, -1)), part.labels, part.batch));
  }

 private:
  static constexpr std::int64_t kTokens = 16;
};

struct Perceptron : Network {
  nn::Linear in, middle, out;

  Perceptron(const Setup& s, Generator& generator)
      : in(child("in"), s.steps * s.inputs, s.hidden, {.dtype = s.dtype, .generator = &generator}),
        middle(child("middle"), s.hidden, s.hidden, {.dtype = s.dtype, .generator = &generator}),
        out(child("out"), s.hidden, kClasses, {.dtype = s.dtype, .generator = &generator}) {}

  void loss(const Part& part, std::vector<Tensor>& terms) const override {
    const Tensor x = part.images.view({part.images.size(0), -1});
    terms.push_back(cross_entropy(out(tanh(middle(relu(in(x))))), part.labels, part.batch));
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
        fc(child("fc"), places(s).numel(), kClasses, {.dtype = s.dtype, .generator = &generator}) {
    masks = {&dropout.masks()};
  }

  /// The output shape of `second`: pooling halves steps and inputs, then a stride halves the steps
  /// again.
  static Shape places(const Setup& s) { return {s.hidden, (s.steps / 2 + 1) / 2, s.inputs / 2}; }

  void loss(const Part& part, std::vector<Tensor>& terms) const override {
    const Tensor pooled = nn::max_pool2d(relu(first(part.images)), 2);
    const Tensor features = dropout(sigmoid(norm(second(pooled))));
    terms.push_back(
        cross_entropy(fc(features.view({features.size(0), -1})), part.labels, part.batch, 0.1));
  }
};

struct StepConvolutional : Network {
  nn::Conv1d first, second;
  nn::Rnn rnn;
  nn::Linear fc;

  StepConvolutional(const Setup& s, Generator& generator)
      : first(child("first"), s.inputs, 6, 3,
              {.padding = 2, .dilation = 2, .dtype = s.dtype, .generator = &generator}),
        second(
            child("second"), 6, 18, 3,
            {.stride = 2, .groups = 2, .causal = true, .dtype = s.dtype, .generator = &generator}),
        rnn(child("rnn"), 18, s.hidden, rnn_options(s, generator)),
        fc(child("fc"), s.hidden, kClasses, {.dtype = s.dtype, .generator = &generator}) {}

  void loss(const Part& part, std::vector<Tensor>& terms) const override {
    std::vector<std::int64_t> lengths(part.lengths.begin(), part.lengths.end());
    Tensor x = symlog(rows_of(part.images));
    for (const nn::Conv1d* layer : {&first, &second}) {
      x = relu((*layer)(x, lengths));
      for (std::int64_t& steps : lengths) steps = layer->outputs(steps);
    }
    const Tensor h_n = rnn(x, {}, {.lengths = lengths}).h_n;
    terms.push_back(cross_entropy(fc(h_n.select(0, -1)), part.labels, part.batch));
  }
};

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, std::int64_t count,
                     double label_smoothing) {
  const Tensor each = nn::cross_entropy(
      logits, labels, {.reduction = nn::Reduction::none, .label_smoothing = label_smoothing});
  return autograd::scaled_sum("signature", each, 1 / static_cast<double>(count));
}

std::unique_ptr<Network> make_network(const Setup& setup, Generator& generator) {
  switch (setup.kind) {
    case Kind::every_step:
      return std::make_unique<EveryStep>(setup, generator);
    case Kind::tokens:
      return std::make_unique<Tokens>(setup, generator);
    case Kind::perceptron:
      return std::make_unique<Perceptron>(setup, generator);
    case Kind::convolutional:
      return std::make_unique<Convolutional>(setup, generator);
    case Kind::step_convolutional:
      return std::make_unique<StepConvolutional>(setup, generator);
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
