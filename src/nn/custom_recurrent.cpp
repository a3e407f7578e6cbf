#include "unroll/nn/custom_recurrent.h"

namespace unroll::nn {

CustomRecurrent::CustomRecurrent(const CustomCell& cell, std::int64_t input_size,
                                 std::int64_t hidden_size, const Options& options)
    : Recurrent({.input = input_size, .hidden = hidden_size, .custom = &cell}, options) {}

CustomRecurrent::CustomRecurrent(const Child& place, const CustomCell& cell,
                                 std::int64_t input_size, std::int64_t hidden_size,
                                 const Options& options)
    : Recurrent(place, {.input = input_size, .hidden = hidden_size, .custom = &cell}, options) {}

CustomRecurrentResult CustomRecurrent::operator()(const Tensor& input, const State& initial,
                                                  const RecurrentCall& call) const {
  auto [output, h_n, c_n] = run(input, initial.h, initial.c, call);
  return {output, h_n, c_n};
}

}  // namespace unroll::nn
