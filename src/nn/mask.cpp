#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "core/batch_part.h"
#include "core/float_environment.h"
#include "core/parallel.h"
#include "core/philox.h"
#include "kernels/table.h"
#include "nn/batch_mask.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

constexpr std::size_t kWords = 4;                            // words of one Philox block
constexpr std::size_t kDrawnPerTask = std::size_t{1} << 15;  // about 40 us
constexpr std::int64_t kMostElements = std::int64_t{1} << 34;

kernels::Bernoulli words_below(double keep, const MaskKey& key) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  // The complement of the layer's number, because a Generator with this seed has small numbers in
  // this word.
  return {{~key.layer, low(key.step), high(key.step)},
          {low(key.seed), high(key.seed)},
          static_cast<std::uint64_t>(keep * 0x1p32)};
}

/// The elements of a mask that begin at element `first`.
template <class T>
void draw(const kernels::Kernels<T>& kernels, const kernels::Bernoulli& words, std::size_t first,
          std::span<T> to, T one) noexcept {
  // The next elements, which lie in one block.
  const auto draw_few = [&](std::size_t count) {
    const auto block = philox(std::array{static_cast<std::uint32_t>(first / kWords),
                                         words.counter[0], words.counter[1], words.counter[2]},
                              words.key);
    for (std::size_t i = 0; i < count; ++i)
      to[i] = block[first % kWords + i] < words.limit ? one : T{0};
    to = to.subspan(count);
    first += count;
  };
  if (first % kWords != 0) draw_few(std::min(to.size(), kWords - first % kWords));
  if (const std::size_t whole = to.size() / kWords; whole > 0) {
    const auto block = static_cast<std::uint32_t>(first / kWords);
    kernels.bernoulli(words, block, block + static_cast<std::uint32_t>(whole), one, to.data());
    to = to.subspan(whole * kWords);
    first += whole * kWords;
  }
  if (!to.empty()) draw_few(to.size());
}

/// The elements that a mask takes from the mask of the whole batch: runs of equal length.
struct Runs {
  std::size_t length, first = 0, distance = 0;
  Shape whole;  // of the whole batch's mask

  Runs(const Shape& shape, int batch_dim)
      : length(static_cast<std::size_t>(shape.numel())), whole(shape) {
    if (batch_dim < 0 || batch_dim >= shape.rank() || length == 0) return;
    const auto rows = static_cast<std::size_t>(shape[batch_dim]);
    const Shards shards = shards_of(rows);
    if (shards.whole_rows() == rows) return;  // one run
    whole[batch_dim] = static_cast<std::int64_t>(shards.whole_rows());
    std::size_t row_size = 1;
    for (int dim = batch_dim + 1; dim < shape.rank(); ++dim)
      row_size *= static_cast<std::size_t>(shape[dim]);
    length = rows * row_size;
    first = shards.first_row() * row_size;
    distance = shards.whole_rows() * row_size;
  }

  /// Calls f(first, begin, count) for each run, or piece of one, that lies in the elements begin ..
  /// end - 1 here. It begins with element `first` of the whole mask.
  template <class F>
  void for_each(std::size_t begin, std::size_t end, F&& f) const {
    while (begin < end) {
      const std::size_t run = begin / length, offset = begin % length;
      const std::size_t count = std::min(end - begin, length - offset);
      f(first + run * distance + offset, begin, count);
      begin += count;
    }
  }
};

}  // namespace

Tensor batch_mask(const Shape& shape, int batch_dim, double keep, const MaskKey& key, DType dtype,
                  double one) {
  if (!(keep >= 0 && keep <= 1))
    throw ValueError("mask", fmt::format("keep probability is {}, expected 0 to 1", keep));
  const Runs runs(shape, batch_dim);
  if (runs.whole.numel() >= kMostElements)
    throw ShapeError("mask", fmt::format("shape {} has {} elements, expected fewer than {}",
                                         runs.whole.str(), runs.whole.numel(), kMostElements));
  const FloatEnvironment environment;
  Tensor mask = Tensor::empty(shape, dtype);
  const kernels::Bernoulli words = words_below(keep, key);
  dispatch("mask", dtype, [&]<class T>(T*) {
    const auto& kernels = kernels::table<T>();
    const auto to = mask.values<T>();
    parallel_pieces(to.size(), kDrawnPerTask, [&](std::size_t begin, std::size_t end) {
      runs.for_each(begin, end, [&](std::size_t first, std::size_t at, std::size_t count) {
        draw(kernels, words, first, to.subspan(at, count), static_cast<T>(one));
      });
    });
  });
  return mask;
}

Tensor bernoulli_mask(const Shape& shape, double keep, const MaskKey& key, DType dtype,
                      double one) {
  return batch_mask(shape, -1, keep, key, dtype, one);
}

}  // namespace unroll::nn
