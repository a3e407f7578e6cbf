#include "unroll/nn/rnn.h"

#include "kernels/cell.h"
#include "nn/common_options.h"

namespace unroll::nn {
namespace {

kernels::Cell cell_of(const RnnOptions& options) {
  return options.nonlinearity == Nonlinearity::relu ? kernels::Cell::rnn_relu
                                                    : kernels::Cell::rnn_tanh;
}

}  // namespace

Rnn::Rnn(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent(cell_of(options), {input_size, hidden_size}, common_options(options)) {}

Rnn::Rnn(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
         const Options& options)
    : Recurrent(place, cell_of(options), {input_size, hidden_size}, common_options(options)) {}

RnnResult Rnn::operator()(const Tensor& input, const Tensor& h_0, const RecurrentCall& call) const {
  auto [output, h_n, c_n] = run(input, h_0, {}, call);
  return {output, h_n};
}

}  // namespace unroll::nn
