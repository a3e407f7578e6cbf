// A recurrent layer with any cell and all of its options.
#include <vector>

#include "nn/described_recurrent.h"
#include "signature/models.h"
#include "spec/cells.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/activation_regularisation.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/readout.h"

namespace unroll::signature {
namespace {

spec::RecurrentSpec spec_of(const Setup& s) {
  spec::RecurrentSpec r;
  r.cell = s.cell;
  r.nonlinearity = s.nonlinearity;
  r.input_size = s.inputs;
  r.hidden_size = s.hidden;
  r.num_layers = s.layers;
  r.proj_size = s.projection;
  r.bidirectional = s.bidirectional;
  r.layer_norm = s.layer_norm;
  r.zoneout_h = s.regularised ? 0.1 : 0;
  r.zoneout_c = s.regularised && spec::info_of(r).has_memory() ? 0.2 : 0;
  r.learn_initial_state = s.regularised;
  r.readout = spec::Readout::mean_last;
  return r;
}

nn::TrainingOptions options_of(const Setup& s, Generator& generator) {
  nn::TrainingOptions options{.dtype = s.dtype, .generator = &generator};
  if (!s.regularised) return options;
  options.dropout = 0.1;
  options.regularisation.variational_dropout = {0.1, 0.2};
  options.regularisation.weight_drop = 0.2;
  if (spec::info_of(s.cell).traits().gates > 1) options.regularisation.recurrent_dropout = 0.2;
  return options;
}

struct Family : Network {
  nn::DescribedRecurrent layer;
  nn::Linear fc;

  Family(const Setup& s, Generator& generator)
      : layer(child("layer"), spec_of(s), options_of(s, generator)),
        fc(child("fc"), spec_of(s).features(), 10, {.dtype = s.dtype, .generator = &generator}),
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
  const Setup& setup_;
};

}  // namespace

std::unique_ptr<Network> make_family(const Setup& setup, Generator& generator) {
  return std::make_unique<Family>(setup, generator);
}

}  // namespace unroll::signature
