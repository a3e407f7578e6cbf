// The largest element of each window of a plane.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace unroll::kernels {

/// The windows over a plane, in one dimension. Padding is not part of a window.
struct Windows {
  std::int64_t size, kernel, stride, padding;

  std::int64_t count() const { return (size + 2 * padding - kernel) / stride + 1; }
  std::int64_t begin(std::int64_t i) const { return std::max<std::int64_t>(0, start(i)); }
  std::int64_t end(std::int64_t i) const { return std::min(size, start(i) + kernel); }

 private:
  std::int64_t start(std::int64_t i) const { return i * stride - padding; }
};

/// Pools `planes` planes x[n] (rows.size x columns.size) to y[n] (rows.count() x columns.count()),
/// on all threads. A window with a NaN gives NaN. `places`, unless null, gets the index of the
/// maximum in its plane: the first of equal ones.
template <class T>
void max_pool(std::size_t planes, const Windows& rows, const Windows& columns, const T* x, T* y,
              std::int64_t* places) noexcept;

}  // namespace unroll::kernels
