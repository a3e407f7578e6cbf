// The models of the signature, and their training.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "unroll/core/nonlinearity.h"
#include "unroll/data/loader.h"
#include "unroll/nn/mask.h"
#include "unroll/nn/module.h"
#include "unroll/nn/state.h"
#include "unroll/optim/optimizer.h"
#include "unroll/optim/schedule.h"
#include "unroll/spec/layers.h"
#include "unroll/tensor/tensor.h"

namespace unroll::signature {

enum class Kind {
  recurrent,           // the tutorial's: Rnn, then Linear on its last step
  every_step,          // Linear, Rnn from a state other than 0, Linear on each step
  tokens,              // Embedding, LayerNorm, Rnn, Linear on its last step; a pixel is a token
  perceptron,          // Linear, relu, Linear, tanh, Linear; reads whole images
  convolutional,       // Conv2d, MaxPool2d, a Conv2d with strides, LayerNorm, Dropout, Linear
  step_convolutional,  // symlog, Conv1d, a Conv1d with strides and groups, Rnn, Linear on its state
  family,              // a cell with the options below, then Linear on mean and last step
};
enum class Algorithm { sgd, nesterov, adam, adamw, muon };
enum class Curve { constant, cosine, warmup_linear };

/// The setup of one model. The default sizes are awkward for vectors and shards of any length.
struct Setup {
  std::string_view name;
  Kind kind = Kind::recurrent;
  std::int64_t steps = 11, inputs = 5;  // T and I: rows and columns of the images
  std::int64_t hidden = 37, layers = 1;
  Nonlinearity nonlinearity = Nonlinearity::relu;
  bool bias = true, orthogonal = false;
  DType dtype = DType::f32;
  std::int64_t batch = 13;
  int shift = 0;  // LoaderOptions::shift
  data::Normalization normalization = {};
  Algorithm algorithm = Algorithm::sgd;
  double lr = 0.1;
  Curve curve = Curve::constant;
  std::int64_t updates = 50;
  std::int64_t chunks = 1;  // of a batch's sequences. Each makes an update; states go on
  // Only for a family; `ragged` also for step_convolutional.
  spec::Cell cell = spec::Cell::rnn;
  bool bidirectional = false, ragged = false, layer_norm = false;
  bool regularised = false;  // every mask, a learnt initial state, and activation regularisation
  std::int64_t projection = 0;
};

std::span<const Setup> setups();

/// The rows of a batch that a network reads at once.
struct Part {
  Tensor images, labels;
  std::span<const std::int64_t> lengths;  // of the sequences; empty: all are equal
  std::int64_t batch;                     // rows of the whole batch
  nn::State& state;                       // after the chunk before
};

struct Network : nn::Module {
  /// Appends the terms of a part's loss (nn::BatchGradient).
  virtual void loss(const Part& part, std::vector<Tensor>& terms) const = 0;

  std::vector<nn::MaskSource*> masks;
};

/// The share of some rows in the mean cross-entropy of `count` rows.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, std::int64_t count,
                     double label_smoothing = 0);

std::unique_ptr<Network> make_family(const Setup& setup, Generator& generator);
std::unique_ptr<Network> make_network(const Setup& setup, Generator& generator);
std::unique_ptr<optim::Optimizer> make_optimizer(const Setup& setup, const Parameters& parameters);
optim::Schedule make_schedule(const Setup& setup);

}  // namespace unroll::signature
