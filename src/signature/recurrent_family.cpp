// A recurrent layer with any cell and all of its options.
#include <vector>

#include "nn/described_recurrent.h"
#include "signature/models.h"
#include "spec/cells.h"
#include "unroll/nn/activation_regularisation.h"
#include "unroll/nn/linear.h"
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
        setup_(s) {
    masks = {&layer.masks()};
  }

  void loss(const Part& part, std::vector<Tensor>& terms) const override {
    const Tensor& images = part.images;
    const Tensor x = images.view({images.size(0), images.size(2), images.size(3)});
    const auto [output, h_n, c_n] = layer(x, part.state, {.lengths = part.lengths});
    part.state = nn::State{h_n, c_n}.detach();
    const nn::BatchLayout layout{part.lengths, true};
    const Tensor read = nn::readout(output, nn::Readout::mean_last, layout);
    terms.push_back(cross_entropy(fc(read), part.labels, part.batch));
    if (!setup_.regularised) return;
    terms.push_back(nn::activation_regularisation(output, 0.1, layout));
    terms.push_back(nn::temporal_activation_regularisation(output, 0.1, layout));
  }

 private:
  const Setup& setup_;
};

}  // namespace

std::unique_ptr<Network> make_family(const Setup& setup, Generator& generator) {
  return std::make_unique<Family>(setup, generator);
}

}  // namespace unroll::signature
