#include "unroll/optim/optimizer.h"

#include <fmt/format.h>

#include <set>

#include "autograd/load.h"
#include "core/float_environment.h"
#include "optim/pieces.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/core/error.h"

namespace unroll::optim {

Optimizer::Optimizer(Parameters parameters) : parameters_(std::move(parameters)) {
  std::set<const TensorImpl*> seen;
  for (const Parameter& p : parameters_) {
    if (!seen.insert(p.value.impl().get()).second)
      throw ValueError(
          "optimizer",
          fmt::format("{} is listed twice; list every parameter once, in one group", p.name));
    steps_.push_back(Tensor::zeros({}, DType::i64));
  }
}

void Optimizer::zero_grad() {
  for (auto& p : parameters_) p.value.clear_grad();
}

void Optimizer::step() {
  const NoGrad no_grad;
  const FloatEnvironment environment;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& value = parameters_[i].value;
    if (!has_gradient(parameters_[i])) continue;
    // Throws for a tensor that no update can change. Nothing may throw on the pool's threads.
    dispatch("optimizer", value.dtype(), [&]<class T>(T*) { (void)raw_values<T>(value); });
    ++*steps_[i].data<std::int64_t>();
  }
  Pieces(parameters_).for_each([this](std::size_t /*number*/, const Piece& piece) {
    update(piece.parameter, piece.begin, piece.end);
  });
  end_step();
  for (const Parameter& p : parameters_)
    if (has_gradient(p)) changed(p.value);
}

Parameters Optimizer::state() const {
  Parameters all;
  const auto add = [&](std::string_view name, const std::vector<Tensor>& tensors) {
    for (std::size_t i = 0; i < tensors.size(); ++i)
      if (tensors[i].defined())
        all.push_back({fmt::format("{}.{}", parameters_[i].name, name), tensors[i]});
  };
  add("step", steps_);
  for (const auto& [name, tensors] : named_state()) add(name, *tensors);
  return all;
}

void Optimizer::load_state(const Parameters& values) { load_by_name(state(), values, "optimizer"); }

std::vector<Tensor> Optimizer::zeros_like_parameters() const {
  std::vector<Tensor> state;
  for (const auto& p : parameters_)
    state.push_back(Tensor::zeros(p.value.shape(), p.value.dtype()));
  return state;
}

}  // namespace unroll::optim
