// 64 bits that tell whether numbers in memory have changed, at the speed of a second-level cache.
//
// The memory is read as 64-bit words, padded with zeros to blocks of 32. Word i of block b, with
// key k = kKey + i % 8 + (b + 1) kKeyStep and x = v xor k, adds
//
//     low half of x * high half of x  +  v with its halves swapped
//
// to sum i. The sums are mixed at the end. This is the idea of XXH3: the second term keeps what a
// product with 0 would lose. It is no protection against an adversary.
#if defined(UNROLL_KERNELS_FINGERPRINT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_FINGERPRINT_INL_H_
#undef UNROLL_KERNELS_FINGERPRINT_INL_H_
#else
#define UNROLL_KERNELS_FINGERPRINT_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

inline constexpr std::size_t kChains = 32, kKeyWords = 8;
inline constexpr std::uint64_t kKey = 0xBE4BA423396CFEB8u, kKeyStep = 0x9E3779B97F4A7C15u,
                               kMix = 0x9FB21C651E98DF25u;

/// Adds blocks of kChains words to the sums. `first` is the number of blocks before them.
#if UNROLL_ONE_LANE
HWY_INLINE void fingerprint_blocks(const unsigned char* data, std::size_t blocks,
                                   std::uint64_t first, std::uint64_t* sums) {
  std::uint64_t offset = first * kKeyStep;
  for (std::size_t b = 0; b < blocks; ++b, data += sizeof(std::uint64_t) * kChains) {
    offset += kKeyStep;
    for (std::size_t i = 0; i < kChains; ++i) {
      std::uint64_t v;
      std::memcpy(&v, data + sizeof v * i, sizeof v);
      const std::uint64_t x = v ^ (kKey + i % kKeyWords + offset);
      sums[i] += (x & 0xffffffffu) * (x >> 32) + std::rotl(v, 32);
    }
  }
}
#else
HWY_INLINE void fingerprint_blocks(const unsigned char* data, std::size_t blocks,
                                   std::uint64_t first, std::uint64_t* sums) {
  const simd::ScalableTag<std::uint64_t> d;
  const simd::Repartition<std::uint32_t, decltype(d)> halves;
  const simd::Repartition<std::uint8_t, decltype(d)> bytes;
  constexpr std::size_t kLanes = simd::MaxLanes(d);
  constexpr std::size_t kVectors = kChains / kLanes, kKeyVectors = kKeyWords / kLanes;
  using V = simd::VFromD<decltype(d)>;
  V sum[kVectors], key[kKeyVectors];
  UNROLL_UNROLLED
  for (std::size_t i = 0; i < kVectors; ++i) sum[i] = simd::LoadU(d, sums + kLanes * i);
  UNROLL_UNROLLED
  for (std::size_t i = 0; i < kKeyVectors; ++i)
    key[i] = simd::Add(simd::Iota(d, kLanes * i), simd::Set(d, kKey + first * kKeyStep));
  const V step = simd::Set(d, kKeyStep);
  for (std::size_t b = 0; b < blocks; ++b, data += sizeof(std::uint64_t) * kChains) {
    UNROLL_UNROLLED
    for (std::size_t i = 0; i < kKeyVectors; ++i) key[i] = simd::Add(key[i], step);
    UNROLL_UNROLLED
    for (std::size_t i = 0; i < kVectors; ++i) {
      const V v = simd::BitCast(d, simd::LoadU(bytes, data + sizeof(std::uint64_t) * kLanes * i));
      const V x = simd::Xor(v, key[i % kKeyVectors]);
      const V product =
          simd::MulEven(simd::BitCast(halves, x), simd::BitCast(halves, simd::ShiftRight<32>(x)));
      const V swapped = simd::BitCast(d, simd::Shuffle2301(simd::BitCast(halves, v)));
      sum[i] = simd::Add(sum[i], simd::Add(product, swapped));
    }
  }
  UNROLL_UNROLLED
  for (std::size_t i = 0; i < kVectors; ++i) simd::StoreU(sum[i], d, sums + kLanes * i);
}
#endif

template <class T>
std::uint64_t fingerprint(const T* numbers, std::size_t count, std::uint64_t seed) noexcept {
  constexpr std::size_t kBlock = sizeof(std::uint64_t) * kChains;
  const auto* data = reinterpret_cast<const unsigned char*>(numbers);
  const std::size_t size = count * sizeof(T), blocks = size / kBlock, rest = size % kBlock;
  std::uint64_t sums[kChains];
  for (std::size_t i = 0; i < kChains; ++i) sums[i] = seed + i;
  fingerprint_blocks(data, blocks, 0, sums);
  if (rest > 0) {
    unsigned char last[kBlock] = {};
    std::memcpy(last, data + blocks * kBlock, rest);
    fingerprint_blocks(last, 1, blocks, sums);
  }
  std::uint64_t result = seed ^ size;
  for (const std::uint64_t sum : sums) result = (result ^ sum ^ (result >> 31)) * kMix;
  return result ^ (result >> 29);
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
