#include "unroll/nn/mask.h"

#include <fmt/format.h>

#include "core/parallel.h"
#include "core/philox.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

constexpr std::size_t kWords = 4;                             // of one Philox block
constexpr std::size_t kBlocksPerTask = std::size_t{1} << 11;  // some 50 us
constexpr std::int64_t kMostElements = std::int64_t{1} << 34;

std::array<std::uint32_t, kWords> words(const MaskKey& key, std::size_t block) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  // The layer's complement: a Generator of this seed has small numbers in that word.
  return philox(std::array{low(block), ~key.layer, low(key.step), high(key.step)},
                std::array{low(key.seed), high(key.seed)});
}

}  // namespace

Tensor bernoulli_mask(const Shape& shape, double keep, const MaskKey& key, DType dtype) {
  if (!(keep >= 0 && keep <= 1))
    throw ValueError("mask", fmt::format("keep probability is {}, expected 0 to 1", keep));
  Tensor mask = Tensor::empty(shape, dtype);
  if (mask.numel() >= kMostElements)
    throw ShapeError("mask", fmt::format("shape {} has {} elements, expected fewer than {}",
                                         shape.str(), mask.numel(), kMostElements));
  const auto limit = static_cast<std::uint64_t>(keep * 0x1p32);
  dispatch("mask", dtype, [&]<class T>(T*) {
    const auto to = mask.values<T>();
    parallel_pieces((to.size() + kWords - 1) / kWords, kBlocksPerTask,
                    [&](std::size_t begin, std::size_t end) {
                      for (std::size_t block = begin; block < end; ++block) {
                        const auto drawn = words(key, block);
                        const std::size_t first = block * kWords;
                        const std::size_t count = std::min(kWords, to.size() - first);
                        for (std::size_t i = 0; i < count; ++i)
                          to[first + i] = drawn[i] < limit ? T{1} : T{0};
                      }
                    });
  });
  return mask;
}

}  // namespace unroll::nn
