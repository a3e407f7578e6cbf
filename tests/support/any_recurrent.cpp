#include "support/any_recurrent.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "unroll/nn/gru.h"
#include "unroll/nn/lstm.h"
#include "unroll/nn/rnn.h"

namespace unroll::test {
namespace {

template <class Layer>
class Wrapped : public AnyRecurrent {
 public:
  Wrapped(std::int64_t input, std::int64_t hidden, const typename Layer::Options& options)
      : layer_(input, hidden, options) {}

  RecurrentResult operator()(const Tensor& input, const nn::State& initial,
                             const nn::RecurrentCall& call) const override {
    if constexpr (std::is_same_v<Layer, nn::Lstm>) {
      const auto [output, h_n, c_n] = layer_(input, initial, call);
      return {output, h_n, c_n};
    } else {
      const auto [output, h_n] = layer_(input, initial.h, call);
      return {output, h_n, {}};
    }
  }
  nn::Recurrent& layer() override { return layer_; }

 private:
  Layer layer_;
};

/// What all have in common, set in another layer's options.
template <class Options>
Options with_common(Options to, const nn::RecurrentOptions& from) {
  to.num_layers = from.num_layers;
  to.bias = from.bias;
  to.batch_first = from.batch_first;
  to.dropout = from.dropout;
  to.bidirectional = from.bidirectional;
  to.regularisation = from.regularisation;
  to.learn_initial_state = from.learn_initial_state;
  to.dtype = from.dtype;
  to.precision = from.precision;
  to.generator = from.generator;
  return to;
}

}  // namespace

RecurrentKind recurrent_kind_of(const std::string& name) {
  const auto found = std::find(std::begin(cell_names), std::end(cell_names), name);
  if (found == std::end(cell_names))
    throw std::runtime_error("no recurrent layer is called " + name);
  return static_cast<RecurrentKind>(found - std::begin(cell_names));
}

std::unique_ptr<AnyRecurrent> make_recurrent(RecurrentKind kind, std::int64_t input,
                                             std::int64_t hidden,
                                             const nn::RecurrentOptions& options,
                                             std::int64_t proj_size) {
  switch (kind) {
    case RecurrentKind::lstm:
      return std::make_unique<Wrapped<nn::Lstm>>(
          input, hidden, with_common(nn::LstmOptions{.proj_size = proj_size}, options));
    case RecurrentKind::gru:
      return std::make_unique<Wrapped<nn::Gru>>(input, hidden, options);
    case RecurrentKind::rnn_relu:
      return std::make_unique<Wrapped<nn::Rnn>>(
          input, hidden, with_common(nn::RnnOptions{.nonlinearity = Nonlinearity::relu}, options));
    case RecurrentKind::rnn_tanh:
      break;
  }
  return std::make_unique<Wrapped<nn::Rnn>>(input, hidden, with_common(nn::RnnOptions{}, options));
}

}  // namespace unroll::test
