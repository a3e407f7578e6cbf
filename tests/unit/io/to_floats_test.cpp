#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "unroll/core/error.h"
#include "unroll/io/safetensors.h"

namespace unroll::io {
namespace {

template <typename T>
ArrayView view(ElementType type, const std::vector<T>& values) {
  return {"x", type, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values))};
}

template <typename Out>
std::vector<Out> converted(const ArrayView& array) {
  std::vector<Out> out(static_cast<std::size_t>(array.shape[0]));
  to_floats(array, out);
  return out;
}

// Values of the bit patterns from the half-precision format of IEEE 754.
TEST(ToFloats, F16WidensExactly) {
  const std::vector<std::uint16_t> halves{0x0000, 0x3c00, 0xc000, 0x7bff, 0x0400,
                                          0x03ff, 0x0001, 0x8001, 0x3555};
  const std::vector<double> expected{0,       1,        -2,        65504, 0x1p-14, 1023 * 0x1p-24,
                                     0x1p-24, -0x1p-24, 0x1.554p-2};
  EXPECT_EQ(converted<double>(view(ElementType::f16, halves)), expected);
  const auto special = converted<float>(
      view(ElementType::f16, std::vector<std::uint16_t>{0x7c00, 0xfc00, 0x7e00, 0x8000}));
  EXPECT_EQ(special[0], std::numeric_limits<float>::infinity());
  EXPECT_EQ(special[1], -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(special[2]));
  EXPECT_TRUE(special[3] == 0 && std::signbit(special[3]));
}

TEST(ToFloats, Bf16IsTheUpperHalfOfF32) {
  const std::vector<std::uint16_t> halves{0x3f80, 0xc040, 0x7f80, 0x0001};
  EXPECT_EQ(converted<float>(view(ElementType::bf16, halves)),
            (std::vector<float>{1, -3, std::numeric_limits<float>::infinity(), 0x1p-133f}));
}

TEST(ToFloats, F64IntoFloatRoundsToNearest) {
  const std::vector<double> doubles{0.1, 1 + 0x1p-24, 1 + 3 * 0x1p-24, 1e300};
  EXPECT_EQ(converted<float>(view(ElementType::f64, doubles)),
            (std::vector<float>{0.1f, 1, 1 + 0x1p-22f, std::numeric_limits<float>::infinity()}));
  EXPECT_EQ(converted<double>(view(ElementType::f64, doubles)), doubles);
}

TEST(ToFloats, UnalignedDataIsRead) {
  const float value = 2.5f;
  std::vector<std::byte> bytes(1 + sizeof value);
  std::memcpy(bytes.data() + 1, &value, sizeof value);
  const ArrayView array{"x", ElementType::f32, {1}, std::span(bytes).subspan(1)};
  EXPECT_EQ(converted<double>(array), std::vector<double>{2.5});
}

TEST(ToFloats, WrongSizeOrTypeIsRefused) {
  const std::vector<float> values(3);
  std::vector<float> out(2);
  EXPECT_THROW(to_floats(view(ElementType::f32, values), out), ShapeError);
  const std::vector<std::int32_t> integers(2);
  EXPECT_THROW(to_floats(view(ElementType::i32, integers), out), FormatError);
  EXPECT_THROW(to_floats(view(ElementType::boolean, std::vector<std::uint8_t>(2)), out),
               FormatError);
}

TEST(Fault32, ValuesThatAreNotFiniteAreCounted) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(count_not_finite(view(ElementType::f32, std::vector<float>{1, inf, -inf, NAN, 3e38f})),
            3u);
  EXPECT_EQ(count_not_finite(view(ElementType::f64, std::vector<double>{1e300, inf, NAN})), 2u);
  // Halves: 65504, infinity, NaN, and the same bits as bf16, where 0x7bff is finite, too.
  const std::vector<std::uint16_t> bits{0x7bff, 0x7c00, 0x7e00, 0xfc00, 0x7f80, 0xffc0};
  EXPECT_EQ(count_not_finite(view(ElementType::f16, bits)), 5u);
  EXPECT_EQ(count_not_finite(view(ElementType::bf16, bits)), 2u);
  EXPECT_EQ(count_not_finite(view(ElementType::u8, std::vector<std::uint8_t>{0xff})), 0u);
}

}  // namespace
}  // namespace unroll::io
