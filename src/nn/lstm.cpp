#include "unroll/nn/lstm.h"

#include "nn/common_options.h"

namespace unroll::nn {

Lstm::Lstm(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent(kind(input_size, hidden_size, options), common_options(options)) {}

Lstm::Lstm(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
           const Options& options)
    : Recurrent(place, kind(input_size, hidden_size, options), common_options(options)) {}

Recurrent::Kind Lstm::kind(std::int64_t input_size, std::int64_t hidden_size,
                           const Options& options) {
  return {.input = input_size,
          .hidden = hidden_size,
          .cell = spec::Cell::lstm,
          .projection = options.proj_size,
          .forget_bias = options.forget_bias};
}

LstmResult Lstm::operator()(const Tensor& input, const State& initial,
                            const RecurrentCall& call) const {
  auto [output, h_n, c_n] = run(input, initial.h, initial.c, call);
  return {output, h_n, c_n};
}

}  // namespace unroll::nn
