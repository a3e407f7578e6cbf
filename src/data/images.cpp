#include "data/images.h"

#include <algorithm>

#include "core/parallel.h"
#include "tensor/tensor_impl.h"

namespace unroll::data {
namespace {

/// Writes one image moved by (dx, dy), with background where no pixel comes from the image.
template <class T>
void move(const std::uint8_t* image, const Dataset& set, const std::array<T, 256>& values,
          std::int64_t dx, std::int64_t dy, T* out) {
  for (std::int64_t r = 0; r < set.rows; ++r) {
    const std::int64_t from = r - dy;
    const bool inside = from >= 0 && from < set.rows;
    const std::uint8_t* row = image + (inside ? from : 0) * set.columns;
    for (std::int64_t c = 0; c < set.columns; ++c) {
      const std::int64_t at = c - dx;
      *out++ = values[inside && at >= 0 && at < set.columns ? row[at] : 0];
    }
  }
}

/// Moves the image first and then puts its pixels in `order`.
template <class T>
void move(const std::uint8_t* image, const Dataset& set, const std::array<T, 256>& values,
          std::span<const std::int64_t> order, std::int64_t dx, std::int64_t dy, T* out) {
  for (const std::int64_t pixel : order) {
    const std::int64_t row = pixel / set.columns - dy, column = pixel % set.columns - dx;
    const bool inside = row >= 0 && row < set.rows && column >= 0 && column < set.columns;
    *out++ = values[inside ? image[row * set.columns + column] : 0];
  }
}

}  // namespace

void fill_images(const Dataset& set, std::span<const Pick> picks, const ImageFill& fill,
                 const Tensor& to) {
  const std::int64_t pixels = set.rows * set.columns;
  const auto side = static_cast<std::uint32_t>(2 * fill.shift + 1);
  dispatch("loader", to.dtype(), [&]<class T>(T*) {
    // Computed in f32 and then widened, so that f64 holds the same numbers.
    std::array<T, 256> values{};
    std::ranges::copy(fill.values, values.begin());
    T* const out = to.data<T>();
    constexpr std::size_t kAtOnce = 4;
    parallel_pieces(picks.size(), kAtOnce, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        // The set is larger than the caches, and the next image may be anywhere in it.
        if (i + 1 < picks.size())
          for (std::int64_t at = 0; at < pixels; at += 64)
            __builtin_prefetch(set.image(picks[i + 1].index) + at);
        const std::uint8_t* const image = set.image(picks[i].index);
        T* const at = out + static_cast<std::int64_t>(i) * pixels;
        const std::uint32_t drawn = picks[i].draw % (side * side);
        const std::int64_t dx = static_cast<std::int64_t>(drawn % side) - fill.shift,
                           dy = static_cast<std::int64_t>(drawn / side) - fill.shift;
        if (!fill.order.empty())
          move(image, set, values, fill.order, dx, dy, at);
        else if (fill.shift == 0)
          for (std::int64_t p = 0; p < pixels; ++p) at[p] = values[image[p]];
        else
          move(image, set, values, dx, dy, at);
      }
    });
  });
}

Tensor labels_of(const Dataset& set, std::span<const Pick> picks) {
  const Tensor labels = Tensor::empty({static_cast<std::int64_t>(picks.size())}, DType::i64);
  const auto values = labels.values<std::int64_t>();
  for (std::size_t i = 0; i < picks.size(); ++i)
    values[i] = set.labels[static_cast<std::size_t>(picks[i].index)];
  return labels;
}

}  // namespace unroll::data
