#include "unroll/nn/rnn.h"

#include "nn/common_options.h"

namespace unroll::nn {

Rnn::Rnn(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent({input_size, hidden_size, spec::Cell::rnn, options.nonlinearity},
                common_options(options)) {}

Rnn::Rnn(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
         const Options& options)
    : Recurrent(place, {input_size, hidden_size, spec::Cell::rnn, options.nonlinearity},
                common_options(options)) {}

RnnResult Rnn::operator()(const Tensor& input, const Tensor& h_0, const RecurrentCall& call) const {
  auto [output, h_n, c_n] = run(input, h_0, {}, call);
  return {output, h_n};
}

}  // namespace unroll::nn
