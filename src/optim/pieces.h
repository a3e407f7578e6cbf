// Parameters in pieces, for loops over elements on all threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory_resource>
#include <span>
#include <vector>

#include "core/parallel.h"
#include "tensor/tensor_impl.h"
#include "unroll/autograd/parameter.h"

namespace unroll::optim {

/// Elements begin .. end - 1 of a parameter.
struct Piece {
  std::size_t parameter, begin, end;
};

/// Whether there is one; a parameter that a layer lacks is undefined.
inline bool has_gradient(const Parameter& p) {
  return p.value.defined() && p.value.impl()->has_grad;
}

/// The parameters that have a gradient, cut in pieces of at most `size` elements.
class Pieces {
 public:
  static constexpr std::size_t size = 16 * 1024;

  explicit Pieces(const Parameters& parameters) {
    std::size_t in_task = size;
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      if (!has_gradient(parameters[p])) continue;
      const TensorImpl& impl = *parameters[p].value.impl();
      const auto count = static_cast<std::size_t>(impl.shape.numel());
      for (std::size_t begin = 0; begin < count; begin += size) {
        const std::size_t end = std::min(count, begin + size);
        if (in_task + (end - begin) > size) {
          tasks_.push_back(pieces_.size());
          in_task = 0;
        }
        pieces_.push_back({p, begin, end});
        in_task += end - begin;
        elements_ += end - begin;
      }
    }
  }

  /// In the order of the parameters and their elements.
  std::span<const Piece> all() const { return pieces_; }

  /// Calls f(number, piece) for all pieces, on all threads. f must not throw.
  template <class F>
  void for_each(F&& f) const {
    const auto run = [this, &f](std::size_t first, std::size_t end) {
      for (std::size_t i = first; i < end; ++i) f(i, pieces_[i]);
    };
    if (elements_ < 2 * size) return run(0, pieces_.size());
    parallel(tasks_.size(), [this, &run](std::size_t task) {
      run(tasks_[task], task + 1 < tasks_.size() ? tasks_[task + 1] : pieces_.size());
    });
  }

 private:
  std::pmr::vector<Piece> pieces_{current_workspace().get()};
  std::pmr::vector<std::size_t> tasks_{current_workspace().get()};  // the first piece of each
  std::size_t elements_ = 0;
};

/// Elements begin .. end - 1 of a contiguous tensor.
template <class T>
std::span<T> part_of(const Tensor& tensor, std::size_t begin, std::size_t end) {
  return raw_values<T>(tensor).subspan(begin, end - begin);
}

}  // namespace unroll::optim
