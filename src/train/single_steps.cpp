#include "train/single_steps.h"

#include <vector>

#include "autograd/node.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/nonlinearity.h"
#include "unroll/core/weight_role.h"

namespace unroll::train {
namespace {

/// T tensors (N, H) as one (N, T, H).
Tensor side_by_side(const std::vector<Tensor>& steps) {
  const std::int64_t count = std::ssize(steps);
  const Tensor& first = steps.front();
  Tensor whole = Tensor::empty({first.size(0), count, first.size(1)}, first.dtype());
  std::vector<const Tensor*> inputs;
  for (std::int64_t t = 0; t < count; ++t) {
    const Tensor& step = steps[static_cast<std::size_t>(t)];
    copy_into(whole.select(1, t), step.detach());
    inputs.push_back(&step);
  }
  if (!autograd::recording(std::span(inputs))) return whole;
  auto backward = [shape = whole.shape()](const autograd::Gradient& g,
                                          std::span<autograd::Gradient> to) {
    const Tensor dense = g.dense(shape);
    for (std::size_t t = 0; t < to.size(); ++t)
      to[t].value = dense.select(1, static_cast<std::int64_t>(t)).contiguous();
  };
  Tensor* outputs[] = {&whole};
  autograd::record(make_pooled<autograd::FunctionNode<decltype(backward)>>(std::move(backward)),
                   std::span(inputs), std::span(outputs));
  return whole;
}

}  // namespace

nn::DescribedRecurrent::Result in_single_steps(const nn::DescribedRecurrent& layer,
                                               const spec::RecurrentSpec& spec, const Tensor& x,
                                               const nn::State& initial, Observer& observer) {
  const bool relu = spec.cell == spec::Cell::rnn && spec.nonlinearity == Nonlinearity::relu;
  nn::State state = initial;
  // A leaf that needs a gradient puts the steps on the tape, whether or not the weights need one.
  if (!state.h.defined() && !spec.learn_initial_state)
    state.h = Tensor::zeros({1, x.size(0), spec.state_size()},
                            layer.layers().front()[WeightRole::weight_hh].dtype())
                  .set_requires_grad(true);
  std::vector<Tensor> outputs;
  for (std::int64_t t = 0; t < x.size(1); ++t) {
    const Tensor now = x.select(1, t).contiguous().view({x.size(0), 1, x.size(2)});
    const auto [output, h_n, c_n] = layer(now, state);
    outputs.push_back(observer.states(spec.name, t, h_n.select(0, 0), relu));
    state = {outputs.back().view({1, x.size(0), spec.state_size()}), c_n};
  }
  return {side_by_side(outputs), state.h, state.c};
}

}  // namespace unroll::train
