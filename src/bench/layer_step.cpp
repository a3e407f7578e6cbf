#include "bench/layer_step.h"

#include <cmath>

#include "nn/described_recurrent.h"
#include "spec/cells.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/data/loader.h"
#include "unroll/nn/activation_regularisation.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/readout.h"
#include "unroll/optim/clip.h"
#include "unroll/optim/sgd.h"

namespace unroll::bench {
namespace {

spec::RecurrentSpec spec_of(const Workload& w) {
  spec::RecurrentSpec r;
  r.cell = cell_of(w);
  r.nonlinearity = w.activation;
  r.input_size = w.input;
  r.hidden_size = w.hidden;
  r.num_layers = w.layers;
  r.layer_norm = w.regulariser == Regulariser::layer_norm;
  if (w.regulariser == Regulariser::zoneout) {
    r.zoneout_h = 0.1;
    r.zoneout_c = spec::info_of(r).has_memory() ? 0.1 : 0;
  }
  return r;
}

nn::TrainingOptions options_of(const Workload& w, Generator& generator) {
  nn::TrainingOptions options{.precision = w.precision, .generator = &generator};
  nn::RecurrentRegularisation& regularisation = options.regularisation;
  switch (w.regulariser) {
    case Regulariser::variational:
      regularisation.variational_dropout = {.input = 0.25, .state = 0.25};
      break;
    case Regulariser::recurrent_dropout:
      regularisation.recurrent_dropout = 0.25;
      break;
    case Regulariser::weight_drop:
      regularisation.weight_drop = 0.5;
      break;
    case Regulariser::dropout:
      options.dropout = 0.25;
      break;
    case Regulariser::none:
    case Regulariser::zoneout:     // part of the description
    case Regulariser::layer_norm:  // part of the description
    case Regulariser::activation:  // part of the loss
      break;
  }
  return options;
}

struct Model : nn::Module {
  nn::DescribedRecurrent rnn;
  nn::Linear fc;

  Model(const Workload& w, Generator& generator)
      : rnn(child("rnn"), spec_of(w), options_of(w, generator)),
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

}  // namespace

void train_layer(const Workload& w, const data::Dataset& set, Laps& laps) {
  Generator generator(0);
  Model model(w, generator);
  const Parameters parameters = model.parameters();
  // The learning rate is so small that training on noise can't diverge.
  optim::Sgd optimizer(parameters, {.lr = 1e-6});
  data::Loader loader(set, {.batch_size = w.batch, .shuffle = true, .generator = &generator});
  const std::vector<std::int64_t> lengths = lengths_of(w);
  while (!laps.done())
    for (const auto& [images, labels] : loader) {
      optimizer.zero_grad();
      const Tensor loss = model.loss(w, images.view({-1, w.steps, w.input}), labels, lengths);
      loss.backward();
      const double norm = optim::clip_grad_norm(parameters, 1);
      // NaN and infinity would take another time than finite numbers.
      if (!std::isfinite(loss.item()) || !std::isfinite(norm))
        throw Error("bench",
                    "the loss is no longer finite, so the times are not those of training");
      optimizer.step();
      laps.lap();
      if (laps.done()) return;
    }
}

}  // namespace unroll::bench
