#include "unroll/nn/gru.h"

#include "kernels/cell.h"

namespace unroll::nn {

Gru::Gru(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent(kernels::Cell::gru, {input_size, hidden_size}, options) {}

Gru::Gru(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
         const Options& options)
    : Recurrent(place, kernels::Cell::gru, {input_size, hidden_size}, options) {}

GruResult Gru::operator()(const Tensor& input, const Tensor& h_0, const RecurrentCall& call) const {
  auto [output, h_n, c_n] = run(input, h_0, {}, call);
  return {output, h_n};
}

}  // namespace unroll::nn
