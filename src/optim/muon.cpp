#include "unroll/optim/muon.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/parallel_gemm.h"
#include "kernels/transpose.h"
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

ParameterGroups<AdamWOptions> others_of(const ParameterGroups<MuonOptions>& groups) {
  ParameterGroups<AdamWOptions> others;
  for (const auto& group : groups)
    others.push_back({select(group.parameters, false), group.options.others});
  return others;
}

/// Makes z the (semi-)orthogonal matrix nearest to it, by Newton-Schulz: z <- a z + b s z + c s s z
/// with s = z z^T. z (rows, columns) is contiguous, wide and of norm 1.
template <class T>
void orthogonalise(const Tensor& matrix, int iterations) {
  constexpr T a = T(3.4445), b = T(4.775), c = T(2.0315);
  const auto rows = static_cast<std::size_t>(matrix.size(0)),
             columns = static_cast<std::size_t>(matrix.size(1));
  const auto room = [&](std::int64_t height, std::int64_t width) {
    return Tensor::empty({height, width}, matrix.dtype());
  };
  const Tensor transposed = room(matrix.size(1), matrix.size(0)),
               squared = room(matrix.size(0), matrix.size(0)),
               once = room(matrix.size(0), matrix.size(1)),
               twice = room(matrix.size(0), matrix.size(1));
  T *const z = matrix.data<T>(), *const zt = transposed.data<T>(), *const s = squared.data<T>(),
           *const sz = once.data<T>(), *const ssz = twice.data<T>();
  for (int i = 0; i < iterations; ++i) {
    kernels::transpose(z, rows, columns, zt, rows);
    kernels::parallel_gemm(kernels::dense_product<T>(rows, columns, rows, z, zt, s));
    kernels::parallel_gemm(kernels::dense_product<T>(rows, rows, columns, s, z, sz));
    kernels::parallel_gemm(kernels::dense_product<T>(rows, rows, columns, s, sz, ssz));
    for (std::size_t e = 0; e < rows * columns; ++e) z[e] = z[e] * a - sz[e] * b + ssz[e] * c;
  }
}

}  // namespace

Muon::Muon(const ParameterGroups<MuonOptions>& groups)
    : Optimizer(parameters_of(matrices_of(groups))),
      options_(options_of(matrices_of(groups))),
      momentum_(zeros_like_parameters()),
      others_(others_of(groups)) {
  for (const auto& [parameters, options] : groups) {
    check_range("muon", "lr", options.lr, 0, std::numeric_limits<double>::infinity());
    check_range("muon", "momentum", options.momentum, 0, 1);
    check_range("muon", "ns_steps", options.ns_steps, 1, 100);
  }
}

Parameters Muon::state() const {
  Parameters all = Optimizer::state();
  for (Parameter& p : others_.state()) all.push_back(std::move(p));
  return all;
}

void Muon::zero_grad() {
  Optimizer::zero_grad();
  others_.zero_grad();
}

void Muon::begin_step() {
  others_.set_lr_factor(lr_factor_);
  others_.step();
}

void Muon::update(std::size_t index, const Tensor& value, const Tensor& gradient) {
  const MuonOptions& options = options_[index];
  const std::int64_t gates = parameters_[index].gates;
  const std::int64_t rows = value.size(0) / gates, columns = value.size(1);
  const bool tall = rows > columns;
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
      // What is left of a momentum long after the gradients ended: 1 / norm would overflow f32.
      if (norm < std::numeric_limits<float>::min()) continue;
      const Tensor z = (tall ? block.transpose(0, 1).contiguous() : block) * (1 / norm);
      orthogonalise<T>(z, options.ns_steps);
      const Tensor update = (tall ? z.transpose(0, 1).contiguous() : z) * -scale;
      add_into(make_view(value, {rows, columns}, gate * rows * columns), update);
    }
  });
}

}  // namespace unroll::optim
