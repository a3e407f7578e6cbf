#include "nn/flat_parameters.h"

#include <algorithm>
#include <cstdint>

#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

// Each parameter starts on a cache line.
constexpr std::size_t kAlignment = 16;

/// The elements that a parameter takes, with the gap behind it.
std::size_t distance_to_next(const Parameter& p) {
  return (static_cast<std::size_t>(p.value.numel()) + kAlignment - 1) / kAlignment * kAlignment;
}

std::size_t flat_size(const Parameters& parameters) {
  std::size_t size = 0;
  for (const Parameter& p : parameters) size += distance_to_next(p);
  return size;
}

bool is_flat(const Parameters& parameters) {
  const TensorImpl& first = *parameters.front().value.impl();
  if (!first.grad.defined()) return false;
  std::size_t offset = first.offset;
  for (const Parameter& p : parameters) {
    const TensorImpl& value = *p.value.impl();
    if (!value.grad.defined() || value.storage != first.storage || value.offset != offset)
      return false;
    const TensorImpl& gradient = *value.grad.impl();
    if (gradient.storage != first.grad.impl()->storage || gradient.offset != offset) return false;
    offset += distance_to_next(p);
  }
  return true;
}

void flatten(const Parameters& parameters) {
  const DType dtype = parameters.front().value.dtype();
  const bool one_type =
      std::ranges::all_of(parameters, [&](const Parameter& p) { return p.value.dtype() == dtype; });
  if (!one_type)
    throw ShapeError(
        "parameters",
        "the model's parameters have different types; make all layers with the same dtype");
  const auto size = static_cast<std::int64_t>(flat_size(parameters));
  const Tensor values = Tensor::zeros({size}, dtype), gradients = Tensor::zeros({size}, dtype);
  std::size_t offset = 0;
  for (const Parameter& p : parameters) {
    const auto at = static_cast<std::int64_t>(offset);
    const Tensor to = make_view(values, p.value.shape(), at);
    copy_into(to, p.value);
    TensorImpl& impl = *p.value.impl();
    const Tensor gradient = make_view(gradients, p.value.shape(), at);
    if (impl.has_grad) copy_into(gradient, impl.grad);
    impl.grad = gradient;
    impl.storage = to.impl()->storage;
    impl.offset = to.impl()->offset;
    impl.strides = to.impl()->strides;
    offset += distance_to_next(p);
  }
}

}  // namespace

FlatParameters::FlatParameters(Parameters parameters) : parameters_(std::move(parameters)) {
  if (parameters_.empty()) {
    values_ = gradients_ = Tensor::zeros({0});
    return;
  }
  if (!is_flat(parameters_)) flatten(parameters_);
  const Shape size{static_cast<std::int64_t>(flat_size(parameters_))};
  const Tensor& first = parameters_.front().value;
  values_ = make_view(first, size, 0);
  gradients_ = make_view(first.impl()->grad, size, 0);
}

Parameters FlatParameters::in(const Tensor& copy) const {
  Parameters all = parameters_;
  std::size_t offset = 0;
  for (Parameter& p : all) {
    const std::size_t distance = distance_to_next(p);
    p.value = make_view(copy, p.value.shape(), static_cast<std::int64_t>(offset));
    offset += distance;
  }
  return all;
}

bool FlatParameters::has_gradient(std::size_t index) const {
  return parameters_[index].value.impl()->has_grad;
}

void FlatParameters::set_has_gradient(std::size_t index, bool present) const {
  parameters_[index].value.impl()->has_grad = present;
}

void FlatParameters::zero_absent_gradients() const {
  for (const Parameter& p : parameters_) {
    const TensorImpl& impl = *p.value.impl();
    if (impl.has_grad) continue;
    dispatch("parameters", impl.dtype,
             [&]<class T>(T*) { std::ranges::fill(impl.grad.values<T>(), T{0}); });
  }
}

}  // namespace unroll::nn
