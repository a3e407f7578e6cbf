#include "unroll/nn/gru.h"

namespace unroll::nn {

Gru::Gru(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent({input_size, hidden_size, spec::Cell::gru}, options) {}

Gru::Gru(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
         const Options& options)
    : Recurrent(place, {input_size, hidden_size, spec::Cell::gru}, options) {}

GruResult Gru::operator()(const Tensor& input, const Tensor& h_0, const RecurrentCall& call) const {
  auto [output, h_n, c_n] = run(input, h_0, {}, call);
  return {output, h_n};
}

}  // namespace unroll::nn
