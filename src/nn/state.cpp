#include "unroll/nn/state.h"

#include <fmt/format.h>

#include "autograd/node.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;

/// x (R, N, J) with zeros for the sequences flagged in `begins` (i64). Their gradient is zero too.
Tensor without(const Tensor& x, const Tensor& begins) {
  const Tensor rest = x.clone();
  const auto flags = begins.values<std::int64_t>();
  const Tensor zeros = Tensor::zeros({x.size(0), x.size(2)}, x.dtype());
  for (std::int64_t n = 0; const std::int64_t flag : flags) {
    if (flag) copy_into(rest.select(1, n), zeros);
    ++n;
  }
  return rest;
}

Tensor reset_rows(const Tensor& x, std::span<const std::uint8_t> begins) {
  if (!x.defined()) return x;
  if (x.rank() != 3 || x.size(1) != static_cast<std::int64_t>(begins.size()))
    throw ShapeError("reset", fmt::format("{} flags for a state of shape {}, expected one for each "
                                          "sequence",
                                          begins.size(), x.shape().str()));
  const Tensor flags = Tensor::empty({x.size(1)}, DType::i64);
  std::copy(begins.begin(), begins.end(), flags.values<std::int64_t>().begin());
  return autograd::with_backward(
      without(x, flags),
      [flags, shape = x.shape()](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0].value = without(g.dense(shape), flags);
      },
      x);
}

}  // namespace

State State::detach() const { return {h.defined() ? h.detach() : h, c.defined() ? c.detach() : c}; }

void State::reset(std::span<const std::uint8_t> begins) {
  h = reset_rows(h, begins);
  c = reset_rows(c, begins);
}

}  // namespace unroll::nn
