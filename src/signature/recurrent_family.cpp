// Rnn, Lstm and Gru with all that they can be asked for.
#include <vector>

#include "signature/models.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/activation_regularisation.h"
#include "unroll/nn/gru.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/lstm.h"
#include "unroll/nn/readout.h"
#include "unroll/nn/rnn.h"

namespace unroll::signature {
namespace {

nn::RecurrentRegularisation regularisation_of(const Setup& s) {
  nn::RecurrentRegularisation r;
  r.layer_norm = s.layer_norm;
  if (!s.regularised) return r;
  r.variational_dropout = {0.1, 0.2};
  r.zoneout.h = 0.1;
  r.weight_drop = 0.2;
  if (s.cell == Cell::lstm) r.zoneout.c = 0.2;
  if (s.cell != Cell::rnn) r.recurrent_dropout = 0.2;
  return r;
}

template <class Layer>
typename Layer::Options options_of(const Setup& s, Generator& generator) {
  typename Layer::Options options;
  options.num_layers = s.layers;
  options.batch_first = true;
  options.dropout = s.regularised ? 0.1 : 0;
  options.bidirectional = s.bidirectional;
  options.regularisation = regularisation_of(s);
  options.learn_initial_state = s.regularised;
  options.dtype = s.dtype;
  options.generator = &generator;
  if constexpr (requires { options.proj_size; }) options.proj_size = s.projection;
  if constexpr (requires { options.nonlinearity; }) options.nonlinearity = s.nonlinearity;
  return options;
}

template <class Layer>
struct Family : Network {
  Layer layer;
  nn::Linear fc;

  Family(const Setup& s, Generator& generator)
      : layer(child("layer"), s.inputs, s.hidden, options_of<Layer>(s, generator)),
        fc(child("fc"), width_of(s), 10, {.dtype = s.dtype, .generator = &generator}),
        setup_(s) {}

  Tensor loss(const data::Batch& batch) const override {
    const Tensor& images = batch.images;
    const Tensor x = images.view({images.size(0), images.size(2), images.size(3)});
    std::vector<std::int64_t> lengths;
    if (setup_.ragged)
      for (std::int64_t n = 0; n < x.size(0); ++n) lengths.push_back(1 + n * 7 % x.size(1));
    const Tensor output = layer(x, {}, {.lengths = lengths}).output;
    const nn::BatchLayout layout{lengths, true};
    const Tensor read = nn::readout(output, nn::Readout::mean_last, layout);
    const Tensor loss = nn::cross_entropy(fc(read), batch.labels);
    return setup_.regularised ? loss + nn::activation_regularisation(output, 0.1, layout) : loss;
  }

 private:
  /// Mean and last output side by side.
  static std::int64_t width_of(const Setup& s) {
    return 2 * (s.bidirectional ? 2 : 1) * (s.projection ? s.projection : s.hidden);
  }
  const Setup& setup_;
};

}  // namespace

std::unique_ptr<Network> make_family(const Setup& setup, Generator& generator) {
  switch (setup.cell) {
    case Cell::lstm:
      return std::make_unique<Family<nn::Lstm>>(setup, generator);
    case Cell::gru:
      return std::make_unique<Family<nn::Gru>>(setup, generator);
    case Cell::rnn:
      break;
  }
  return std::make_unique<Family<nn::Rnn>>(setup, generator);
}

}  // namespace unroll::signature
