#include "nn/batch_gradient.h"

#include <algorithm>

#include "core/float_environment.h"
#include "tensor/tensor_impl.h"
#include "unroll/autograd/ops.h"

namespace unroll::nn {
namespace {

std::size_t largest_node(const Shards& whole, std::size_t size) {
  std::size_t rows = 0;
  for (std::size_t first = 0; first < whole.count(); first += size)
    rows = std::max(rows, whole.node(first, size).rows());
  return rows;
}

/// a + b in the type of the numbers. A sum of two floats in f64 is exact enough to be rounded once
/// more.
double sum_in(DType dtype, double a, double b) {
  return dtype == DType::f32 ? static_cast<float>(a + b) : a + b;
}

}  // namespace

void cut(const BatchPart& whole, std::size_t rows, std::vector<BatchPart>& parts) {
  const Shards& shards = whole.shards;
  std::size_t size = shards.count();
  while (rows > 0 && size > 1 && largest_node(shards, size) > rows) size /= 2;
  parts.clear();
  for (std::size_t first = 0; first < shards.count(); first += size)
    parts.push_back({shards.node(first, size), whole.steps});
}

Tensor rows_of(const Tensor& x, const BatchPart& part) {
  const auto rows = static_cast<std::int64_t>(part.shards.rows());
  if (rows == x.size(0)) return x;
  Shape shape = x.shape();
  shape[0] = rows;
  return make_view(x, shape, static_cast<std::int64_t>(part.shards.first_row()) * x.stride(0));
}

BatchGradient::BatchGradient(const FlatParameters& parameters, std::vector<MaskSource*> masks)
    : parameters_(parameters),
      masks_(std::move(masks)),
      mask_steps_(masks_.size()),
      present_(parameters.parameters().size()) {}

void BatchGradient::rewind_masks(std::size_t k) {
  for (std::size_t i = 0; i < masks_.size(); ++i)
    if (k == 0)
      mask_steps_[i] = masks_[i]->step();
    else
      masks_[i]->set_step(mask_steps_[i]);
}

void BatchGradient::begin(std::size_t k) {
  rewind_masks(k);
  if (k > 0) {
    const std::size_t slot = tree_slot(node_);
    if (waiting_.size() <= slot) waiting_.resize(slot + 1);
    Sum& sum = waiting_[slot];
    const Tensor& from = parameters_.gradients();
    if (!sum.gradients.defined()) sum.gradients = Tensor::empty(from.shape(), from.dtype());
    copy_into(sum.gradients, from);
    sum.terms = values_;
  }
  if (k == 0) std::ranges::fill(present_, 0);
  node_ = k;
  for (std::size_t i = 0; i < present_.size(); ++i) parameters_.set_has_gradient(i, false);
  terms_.clear();
}

void BatchGradient::backward() {
  Tensor penalty;
  for (std::size_t i = 1; i < terms_.size(); ++i)
    penalty = penalty.defined() ? penalty + terms_[i] : terms_[i];
  const Tensor loss = penalty.defined() ? terms_.front() + penalty : terms_.front();
  loss.backward();
  for (std::size_t i = 0; i < present_.size(); ++i) present_[i] |= parameters_.has_gradient(i);
  parameters_.zero_absent_gradients();  // for the sum with other parts
  values_.clear();
  for (const Tensor& term : terms_) values_.push_back(term.item());
  terms_.clear();
}

void BatchGradient::add(std::size_t left) {
  const FloatEnvironment environment;
  const Sum& sum = waiting_[tree_slot(left)];
  const Tensor& to = parameters_.gradients();
  add_into(to, sum.gradients);
  for (std::size_t i = 0; i < values_.size(); ++i)
    values_[i] = sum_in(to.dtype(), sum.terms[i], values_[i]);
  node_ = left;
}

void BatchGradient::show_present() const {
  for (std::size_t i = 0; i < present_.size(); ++i)
    parameters_.set_has_gradient(i, present_[i] != 0);
}

double BatchGradient::loss() const {
  const FloatEnvironment environment;
  const DType dtype = parameters_.values().dtype();
  if (values_.size() == 1) return values_[0];
  double penalty = values_[1];
  for (std::size_t i = 2; i < values_.size(); ++i) penalty = sum_in(dtype, penalty, values_[i]);
  return sum_in(dtype, values_[0], penalty);
}

}  // namespace unroll::nn
