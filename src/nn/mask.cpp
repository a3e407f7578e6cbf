#include "unroll/nn/mask.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/float_environment.h"
#include "core/parallel.h"
#include "kernels/table.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

constexpr std::size_t kWords = 4;                             // words of one Philox block
constexpr std::size_t kBlocksPerTask = std::size_t{1} << 13;  // about 40 us
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

}  // namespace

Tensor bernoulli_mask(const Shape& shape, double keep, const MaskKey& key, DType dtype,
                      double one) {
  if (!(keep >= 0 && keep <= 1))
    throw ValueError("mask", fmt::format("keep probability is {}, expected 0 to 1", keep));
  const FloatEnvironment environment;
  Tensor mask = Tensor::empty(shape, dtype);
  if (mask.numel() >= kMostElements)
    throw ShapeError("mask", fmt::format("shape {} has {} elements, expected fewer than {}",
                                         shape.str(), mask.numel(), kMostElements));
  const kernels::Bernoulli words = words_below(keep, key);
  dispatch("mask", dtype, [&]<class T>(T*) {
    const auto& kernels = kernels::table<T>();
    const auto to = mask.values<T>();
    const std::size_t whole = to.size() / kWords;
    parallel_pieces(whole, kBlocksPerTask, [&](std::size_t begin, std::size_t end) {
      kernels.bernoulli(words, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end),
                        static_cast<T>(one), &to[begin * kWords]);
    });
    if (whole * kWords == to.size()) return;
    const auto last = static_cast<std::uint32_t>(whole);
    std::array<T, kWords> block;
    kernels.bernoulli(words, last, last + 1, static_cast<T>(one), block.data());
    std::copy_n(block.begin(), to.size() - whole * kWords, &to[whole * kWords]);
  });
  return mask;
}

}  // namespace unroll::nn
