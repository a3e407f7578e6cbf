// Masks from Philox 4x32-10, many counters at a time (core/philox.h has the
// function).
#if defined(UNROLL_KERNELS_BERNOULLI_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_BERNOULLI_INL_H_
#undef UNROLL_KERNELS_BERNOULLI_INL_H_
#else
#define UNROLL_KERNELS_BERNOULLI_INL_H_
#endif

#include <bit>
#include <type_traits>

#include "core/philox.h"
#include "core/simd-inl.h"
#include "kernels/table.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

template <class T>
void bernoulli_block(const kernels::Bernoulli& b, std::uint32_t block, T one, T* out) {
  const auto words = philox(std::array{block, b.counter[0], b.counter[1], b.counter[2]}, b.key);
  for (std::size_t i = 0; i < words.size(); ++i) out[i] = words[i] < b.limit ? one : T{0};
}

#if !UNROLL_ONE_LANE
/// Stores element i of each lane's four to out[4 lane + i].
template <class D, class V>
HWY_INLINE void store_fours(D d, V v0, V v1, V v2, V v3, double* out) {
  simd::StoreInterleaved4(v0, v1, v2, v3, d, reinterpret_cast<std::uint64_t*>(out));
}
template <class D, class V>
HWY_INLINE void store_fours(D d, V v0, V v1, V v2, V v3, float* out) {
  simd::StoreInterleaved2(simd::Or(v0, simd::ShiftLeft<32>(v1)),
                          simd::Or(v2, simd::ShiftLeft<32>(v3)), d,
                          reinterpret_cast<std::uint64_t*>(out));
}
#endif

template <class T>
void bernoulli(const kernels::Bernoulli& b, std::uint32_t begin, std::uint32_t end, T one,
               T* out) noexcept {
#if !UNROLL_ONE_LANE
  // One counter per 64-bit lane. Only the lower half counts; the upper half of a product is never
  // used.
  const simd::ScalableTag<std::uint64_t> d;
  const simd::Repartition<std::uint32_t, decltype(d)> d32;
  const simd::RebindToSigned<decltype(d)> d_signed;
  constexpr std::size_t lanes = simd::MaxLanes(decltype(d)());
  const auto set = [&](std::uint64_t x) HWY_ATTR { return simd::Set(d, x); };
  const auto times = [&](auto v, std::uint32_t factor) HWY_ATTR {
    return simd::MulEven(simd::BitCast(d32, v), simd::Set(d32, factor));
  };
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const auto limit = simd::BitCast(d_signed, set(b.limit)),
             low = simd::BitCast(d_signed, set(0xffffffff));
  const auto ones = simd::BitCast(d_signed, set(std::bit_cast<Bits>(one)));
  const auto chosen = [&](auto v) HWY_ATTR {
    const auto word = simd::And(simd::BitCast(d_signed, v), low);
    return simd::BitCast(d, simd::IfThenElseZero(simd::Lt(word, limit), ones));
  };
  for (; begin + lanes <= end; begin += lanes, out += 4 * lanes) {
    auto c0 = simd::Add(set(begin), simd::Iota(d, 0));
    auto c1 = set(b.counter[0]), c2 = set(b.counter[1]), c3 = set(b.counter[2]);
    std::uint32_t key_0 = b.key[0], key_1 = b.key[1];
    for (int round = 0; round < 10; ++round) {
      const auto product_0 = times(c0, kPhiloxFactors[0]), product_1 = times(c2, kPhiloxFactors[1]);
      c0 = simd::Xor(simd::Xor(simd::ShiftRight<32>(product_1), c1), set(key_0));
      c1 = product_1;
      c2 = simd::Xor(simd::Xor(simd::ShiftRight<32>(product_0), c3), set(key_1));
      c3 = product_0;
      key_0 += kPhiloxKeySteps[0];
      key_1 += kPhiloxKeySteps[1];
    }
    store_fours(d, chosen(c0), chosen(c1), chosen(c2), chosen(c3), out);
  }
#endif
  for (; begin < end; ++begin, out += 4) bernoulli_block(b, begin, one, out);
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
