#include "unroll/optim/muon.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory_resource>
#include <span>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "kernels/parallel_gemm.h"
#include "kernels/transpose.h"
#include "optim/checks.h"
#include "optim/groups.h"
#include "optim/norm.h"
#include "optim/pieces.h"
#include "tensor/tensor_impl.h"

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

/// The block of one gate: `rows` rows of a parameter, from element `first` on.
struct Block {
  std::size_t parameter, first, rows, columns;

  std::size_t size() const { return rows * columns; }
  std::size_t shorter() const { return std::min(rows, columns); }
  std::size_t work() const { return size() * shorter(); }
};

/// Matrices for the update of a block, in memory that the caller provides.
template <class T>
struct Scratch {
  T *z, *next;              // as large as the block
  T *shifted, *polynomial;  // both sides as long as the block's shorter one

  static std::size_t bytes(const Block& block) {
    return 2 * (lines(block.size()) + lines(block.shorter() * block.shorter()));
  }
  Scratch(std::byte* memory, const Block& block) {
    const std::size_t whole = lines(block.size()),
                      square = lines(block.shorter() * block.shorter());
    z = reinterpret_cast<T*>(memory);
    next = reinterpret_cast<T*>(memory + whole);
    shifted = reinterpret_cast<T*>(memory + 2 * whole);
    polynomial = reinterpret_cast<T*>(memory + 2 * whole + square);
  }

 private:
  /// The bytes of so many elements, in whole cache lines.
  static std::size_t lines(std::size_t elements) { return (elements * sizeof(T) + 63) / 64 * 64; }
};

constexpr double kA = 3.4445, kB = 4.775, kC = 2.0315;  // of the polynomial

/// Approximates the (semi-)orthogonal matrix nearest to z, by Newton-Schulz: z <- z (a - b s + c s
/// s) with s = z^T z. z (rows, columns) is not wide and has norm 1.
///
/// For y = c^(1/4) z the last factor is 1, and the square can be completed: with q = y^T y and h =
/// b / sqrt(c) / 2, y <- y ((q - h)^2 + a - h^2). This needs three products, two of them symmetric,
/// and additions to diagonals. Expects y in s.z, and leaves it there.
template <class T>
void orthogonalise(Scratch<T>& s, std::size_t rows, std::size_t columns, int iterations) {
  const double h = kB / std::sqrt(kC) / 2;
  const auto add_to_diagonal = [columns](T* matrix, double number) {
    for (std::size_t i = 0; i < columns; ++i) matrix[i * (columns + 1)] += static_cast<T>(number);
  };
  for (int i = 0; i < iterations; ++i) {
    kernels::parallel_symmetric_gemm(
        kernels::transposed_product<T>(columns, rows, columns, s.z, s.z, s.shifted));
    add_to_diagonal(s.shifted, -h);
    kernels::parallel_symmetric_gemm(
        kernels::dense_product<T>(columns, columns, columns, s.shifted, s.shifted, s.polynomial));
    add_to_diagonal(s.polynomial, kA - h * h);
    kernels::parallel_gemm(
        kernels::dense_product<T>(rows, columns, columns, s.z, s.polynomial, s.next));
    std::swap(s.z, s.next);
  }
}

/// Moves a block's weights w against its gradient g. m is the momentum after this step.
template <class T>
void move_block(const Block& block, const MuonOptions& options, double lr, const T* g, const T* m,
                T* w, Scratch<T> s) {
  const std::size_t size = block.size(), rows = block.rows, columns = block.columns;
  const bool wide = rows < columns;
  const T keep = static_cast<T>(options.momentum), fresh = static_cast<T>(1 - options.momentum);
  for (std::size_t i = 0; i < size; ++i)
    s.next[i] = options.nesterov ? keep * m[i] + fresh * g[i] : m[i];
  const double norm = std::sqrt(sum_of_squares(std::span<const T>(s.next, size)));
  // The momentum decays to this long after the last gradient. 1 / norm would overflow f32.
  if (norm < std::numeric_limits<float>::min()) return;
  if (wide)
    kernels::transpose(s.next, rows, columns, s.z, rows);
  else
    std::swap(s.next, s.z);
  const double root = std::sqrt(kC);
  const T to_one = static_cast<T>(1 / norm), to_y = static_cast<T>(std::sqrt(root)),
          from_y = static_cast<T>(1 / std::sqrt(root));
  for (std::size_t i = 0; i < size; ++i) s.z[i] = s.z[i] * to_one * to_y;
  orthogonalise(s, std::max(rows, columns), block.shorter(), options.ns_steps);
  if (wide) {
    kernels::transpose(s.z, columns, rows, s.next, columns);
    std::swap(s.next, s.z);
  }
  const double longer = static_cast<double>(rows) / static_cast<double>(columns);
  const T step = static_cast<T>(-lr * std::sqrt(std::max(1.0, longer)));
  for (std::size_t i = 0; i < size; ++i) w[i] += s.z[i] * from_y * step;
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

void Muon::update(std::size_t index, std::size_t begin, std::size_t end) {
  const MuonOptions& options = options_[index];
  const Tensor &value = parameters_[index].value, gradient = value.grad();
  dispatch("muon", value.dtype(), [&]<class T>(T*) {
    const auto m = part_of<T>(momentum_[index], begin, end), g = part_of<T>(gradient, begin, end);
    const T keep = static_cast<T>(options.momentum), fresh = static_cast<T>(1 - options.momentum);
    for (std::size_t i = 0; i < m.size(); ++i) m[i] = keep * m[i] + fresh * g[i];
  });
}

// Whole blocks are dealt out to the threads, largest first. If the largest is more than a thread's
// share of the work, each product is on all threads instead.
void Muon::end_step() {
  if (others_) {
    others_->set_lr_factor(lr_factor_);
    others_->step();
  }
  std::pmr::vector<Block> blocks(current_workspace().get());
  std::size_t bytes = 0;  // of a block's scratch
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& value = parameters_[i].value;
    if (!has_gradient(parameters_[i])) continue;
    const auto gates = static_cast<std::size_t>(parameters_[i].gates),
               rows = static_cast<std::size_t>(value.size(0)) / gates,
               columns = static_cast<std::size_t>(value.size(1));
    for (std::size_t gate = 0; gate < gates; ++gate)
      blocks.push_back({i, gate * rows * columns, rows, columns});
    bytes = std::max(bytes, dispatch("muon", value.dtype(), [&]<class T>(T*) {
                       kernels::table<T>();  // may throw, which it must not in a task
                       return Scratch<T>::bytes(blocks.back());
                     }));
  }
  std::ranges::sort(blocks, std::greater{}, &Block::work);
  const auto threads = static_cast<std::size_t>(threads_here());
  std::size_t work = 0;
  for (const Block& block : blocks) work += block.work();
  const std::size_t tasks = blocks.empty() || blocks.front().work() * threads > work ? 1 : threads;
  const auto memory = make_pooled<Storage>(current_workspace(), tasks * bytes);
  std::atomic<std::size_t> next = 0;
  parallel(tasks, [&](std::size_t task) {
    for (std::size_t i; (i = next++) < blocks.size();) {
      const Block& block = blocks[i];
      const Tensor& value = parameters_[block.parameter].value;
      dispatch("muon", value.dtype(), [&]<class T>(T*) {
        const MuonOptions& options = options_[block.parameter];
        move_block<T>(
            block, options, options.lr * lr_factor_, raw_data<T>(value.grad()) + block.first,
            raw_data<T>(momentum_[block.parameter]) + block.first, raw_data<T>(value) + block.first,
            Scratch<T>(memory->data() + task * bytes, block));
      });
    }
  });
}

}  // namespace unroll::optim
