#include "bench/layer_step.h"

#include <cmath>

#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/data/loader.h"
#include "unroll/nn/activation_regularisation.h"
#include "unroll/nn/gru.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/lstm.h"
#include "unroll/nn/readout.h"
#include "unroll/nn/rnn.h"
#include "unroll/optim/clip.h"
#include "unroll/optim/sgd.h"

namespace unroll::bench {
namespace {

nn::RecurrentRegularisation regularisation_of(const Workload& w) {
  nn::RecurrentRegularisation r;
  switch (w.regulariser) {
    case Regulariser::variational:
      r.variational_dropout = {.input = 0.25, .state = 0.25};
      break;
    case Regulariser::recurrent_dropout:
      r.recurrent_dropout = 0.25;
      break;
    case Regulariser::zoneout:
      r.zoneout = {.h = 0.1, .c = w.model == train::ModelKind::lstm ? 0.1 : 0};
      break;
    case Regulariser::weight_drop:
      r.weight_drop = 0.5;
      break;
    case Regulariser::layer_norm:
      r.layer_norm = true;
      break;
    case Regulariser::none:
    case Regulariser::dropout:     // an option of the layers
    case Regulariser::activation:  // a part of the loss
      break;
  }
  return r;
}

template <class Layer>
typename Layer::Options options_of(const Workload& w, Generator& generator) {
  typename Layer::Options options;
  if constexpr (std::is_same_v<Layer, nn::Rnn>) options.nonlinearity = w.activation;
  options.num_layers = w.layers;
  options.batch_first = true;
  if (w.regulariser == Regulariser::dropout) options.dropout = 0.25;
  options.regularisation = regularisation_of(w);
  options.precision = w.precision;
  options.generator = &generator;
  return options;
}

template <class Layer>
struct Model : nn::Module {
  Layer rnn;
  nn::Linear fc;

  Model(const Workload& w, Generator& generator)
      : rnn(child("rnn"), w.input, w.hidden, options_of<Layer>(w, generator)),
        fc(child("fc"), w.hidden, Workload::outputs, {.generator = &generator}) {}

  Tensor loss(const Workload& w, const Tensor& x, const Tensor& labels,
              std::span<const std::int64_t> lengths) const {
    const Tensor output = rnn(x, {}, {.lengths = lengths}).output;
    const nn::BatchLayout of_sequences{.lengths = lengths, .batch_first = true};
    const Tensor loss =
        nn::cross_entropy(fc(nn::readout(output, nn::Readout::last, of_sequences)), labels);
    if (w.regulariser != Regulariser::activation) return loss;
    return loss + nn::activation_regularisation(output, 2, of_sequences) +
           nn::temporal_activation_regularisation(output, 1, of_sequences);
  }
};

template <class Layer>
void train(const Workload& w, const data::Dataset& set, Laps& laps) {
  Generator generator(0);
  Model<Layer> model(w, generator);
  const Parameters parameters = model.parameters();
  // So small that noise can't make it diverge.
  optim::Sgd optimizer(parameters, {.lr = 1e-6});
  data::Loader loader(set, {.batch_size = w.batch, .shuffle = true, .generator = &generator});
  const std::vector<std::int64_t> lengths = lengths_of(w);
  while (!laps.done())
    for (const auto& [images, labels] : loader) {
      optimizer.zero_grad();
      const Tensor loss = model.loss(w, images.view({-1, w.steps, w.input}), labels, lengths);
      loss.backward();
      const double norm = optim::clip_grad_norm(parameters, 1);
      // Numbers that are no longer finite take other times.
      if (!std::isfinite(loss.item()) || !std::isfinite(norm))
        throw Error("bench", "the loss is no longer finite: what was timed is not training");
      optimizer.step();
      laps.lap();
      if (laps.done()) return;
    }
}

}  // namespace

void train_layer(const Workload& workload, const data::Dataset& set, Laps& laps) {
  switch (workload.model) {
    case train::ModelKind::rnn:
      return train<nn::Rnn>(workload, set, laps);
    case train::ModelKind::lstm:
      return train<nn::Lstm>(workload, set, laps);
    case train::ModelKind::gru:
      return train<nn::Gru>(workload, set, laps);
    default:
      throw Error("bench", name_of(workload) + " has no recurrent layer");
  }
}

}  // namespace unroll::bench
