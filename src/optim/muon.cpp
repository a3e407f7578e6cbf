#include "unroll/optim/muon.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/parallel_gemm.h"
#include "optim/checks.h"
#include "optim/groups.h"
#include "optim/norm.h"
#include "tensor/tensor_impl.h"
#include "unroll/autograd/ops.h"

namespace unroll::optim {
namespace {

Parameters select(const Parameters& all, bool matrices) {
  Parameters some;
  for (const auto& p : all)
    if ((p.gates > 0) == matrices) some.push_back(p);
  return some;
}

ParameterGroups<MuonOptions> matrices_of(const ParameterGroups<MuonOptions>& groups) {
  ParameterGroups<MuonOptions> matrices;
  for (const auto& group : groups)
    matrices.push_back({select(group.parameters, true), group.options});
  return matrices;
}

/// Empty if all parameters are matrices.
std::optional<AdamW> optimizer_of_others(const ParameterGroups<MuonOptions>& groups) {
  ParameterGroups<AdamWOptions> others;
  for (const auto& group : groups)
    if (Parameters some = select(group.parameters, false); !some.empty())
      others.push_back({std::move(some), group.options.others});
  if (others.empty()) return std::nullopt;
  return std::optional<AdamW>(std::in_place, others);
}

/// Approximates the (semi-)orthogonal matrix nearest to z, by Newton-Schulz: z <- z (a - b s + c s
/// s) with s = z^T z. z (rows, columns) is contiguous, not wide and of norm 1.
///
/// For y = c^(1/4) z the last factor is 1, and the square can be completed: with q = y^T y and h =
/// b / sqrt(c) / 2, y <- y ((q - h)^2 + a - h^2). This needs three products, two of them symmetric,
/// and additions to diagonals.
template <class T>
Tensor orthogonalise(const Tensor& z, int iterations) {
  constexpr double a = 3.4445, b = 4.775, c = 2.0315;
  const double root = std::sqrt(c), h = b / root / 2;
  const auto rows = static_cast<std::size_t>(z.size(0)),
             columns = static_cast<std::size_t>(z.size(1));
  const Shape square = {z.size(1), z.size(1)};
  const Tensor shifted = Tensor::empty(square, z.dtype()),
               polynomial = Tensor::empty(square, z.dtype());
  T *const q = shifted.data<T>(), *const p = polynomial.data<T>();
  const auto add_to_diagonal = [&](T* matrix, double number) {
    for (std::size_t i = 0; i < columns; ++i) matrix[i * (columns + 1)] += static_cast<T>(number);
  };
  Tensor y = z * std::sqrt(root), next = Tensor::empty(z.shape(), z.dtype());
  for (int i = 0; i < iterations; ++i) {
    kernels::parallel_symmetric_gemm(
        kernels::transposed_product<T>(columns, rows, columns, y.data<T>(), y.data<T>(), q));
    add_to_diagonal(q, -h);
    kernels::parallel_symmetric_gemm(kernels::dense_product<T>(columns, columns, columns, q, q, p));
    add_to_diagonal(p, a - h * h);
    kernels::parallel_gemm(
        kernels::dense_product<T>(rows, columns, columns, y.data<T>(), p, next.data<T>()));
    std::swap(y, next);
  }
  return y * (1 / std::sqrt(root));
}

}  // namespace

Muon::Muon(const ParameterGroups<MuonOptions>& groups)
    : Optimizer(parameters_of(matrices_of(checked("muon", groups)))),
      options_(options_of(matrices_of(groups))),
      momentum_(zeros_like_parameters()),
      others_(optimizer_of_others(groups)) {
  for (const auto& [parameters, options] : groups) {
    check_range("muon", "lr", options.lr, 0, std::numeric_limits<double>::infinity());
    check_range("muon", "momentum", options.momentum, 0, 1);
    check_range("muon", "ns_steps", options.ns_steps, 1, 100);
  }
}

Parameters Muon::state() const {
  Parameters all = Optimizer::state();
  if (others_)
    for (Parameter& p : others_->state()) all.push_back(std::move(p));
  return all;
}

void Muon::zero_grad() {
  Optimizer::zero_grad();
  if (others_) others_->zero_grad();
}

void Muon::begin_step() {
  if (!others_) return;
  others_->set_lr_factor(lr_factor_);
  others_->step();
}

void Muon::update(std::size_t index, const Tensor& value, const Tensor& gradient) {
  const MuonOptions& options = options_[index];
  const std::int64_t gates = parameters_[index].gates;
  const std::int64_t rows = value.size(0) / gates, columns = value.size(1);
  const bool wide = rows < columns;
  const double scale =
      options.lr * lr_factor_ *
      std::sqrt(std::max(1.0, static_cast<double>(rows) / static_cast<double>(columns)));
  dispatch("muon", value.dtype(), [&]<class T>(T*) {
    const auto m = momentum_[index].values<T>();
    const auto g = gradient.values<T>();
    const Tensor u = Tensor::empty(value.shape(), value.dtype());
    const auto mixed = u.values<T>();
    const T keep = static_cast<T>(options.momentum), fresh = static_cast<T>(1 - options.momentum);
    for (std::size_t i = 0; i < m.size(); ++i) {
      m[i] = keep * m[i] + fresh * g[i];
      mixed[i] = options.nesterov ? keep * m[i] + fresh * g[i] : m[i];
    }
    for (std::int64_t gate = 0; gate < gates; ++gate) {
      const Tensor block = make_view(u, {rows, columns}, gate * rows * columns);
      const double norm = std::sqrt(sum_of_squares(block));
      // The momentum decays to this long after the last gradient. 1 / norm would overflow f32.
      if (norm < std::numeric_limits<float>::min()) continue;
      const Tensor z = (wide ? block.transpose(0, 1).contiguous() : block) * (1 / norm);
      const Tensor nearest = orthogonalise<T>(z, options.ns_steps);
      const Tensor update = (wide ? nearest.transpose(0, 1).contiguous() : nearest) * -scale;
      add_into(make_view(value, {rows, columns}, gate * rows * columns), update);
    }
  });
}

}  // namespace unroll::optim
