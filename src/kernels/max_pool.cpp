#include "kernels/max_pool.h"

#include "core/parallel.h"

namespace unroll::kernels {
namespace {

constexpr std::size_t kElementsPerTask = std::size_t{1} << 14;

template <class T>
void pool_plane(const Windows& rows, const Windows& columns, const T* x, T* y,
                std::int64_t* places) noexcept {
  const std::int64_t width = columns.size, down = rows.count(), across = columns.count();
  for (std::int64_t i = 0; i < down; ++i)
    for (std::int64_t j = 0; j < across; ++j) {
      const std::int64_t top = rows.begin(i), bottom = rows.end(i);
      const std::int64_t left = columns.begin(j), right = columns.end(j);
      std::int64_t place = top * width + left, nan = -1;
      T largest = x[place];
      for (std::int64_t r = top; r < bottom; ++r)
        for (std::int64_t at = r * width + left; at < r * width + right; ++at) {
          // No branch, because it would be mispredicted half of the time.
          const T v = x[at];
          place += (at - place) & -static_cast<std::int64_t>(v > largest);
          largest = v > largest ? v : largest;
          if (v != v) nan = at;
        }
      if (nan >= 0) place = nan;
      *y++ = x[place];
      if (places) *places++ = place;
    }
}

}  // namespace

template <class T>
void max_pool(std::size_t planes, const Windows& rows, const Windows& columns, const T* x, T* y,
              std::int64_t* places) noexcept {
  const auto in = static_cast<std::size_t>(rows.size * columns.size);
  const auto out = static_cast<std::size_t>(rows.count() * columns.count());
  parallel_pieces(planes, std::max<std::size_t>(1, kElementsPerTask / in),
                  [&](std::size_t begin, std::size_t end) {
                    for (std::size_t plane = begin; plane < end; ++plane)
                      pool_plane(rows, columns, x + plane * in, y + plane * out,
                                 places ? places + plane * out : nullptr);
                  });
}

#define UNROLL_INSTANTIATE(T)                                                       \
  template void max_pool(std::size_t, const Windows&, const Windows&, const T*, T*, \
                         std::int64_t*) noexcept;
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
