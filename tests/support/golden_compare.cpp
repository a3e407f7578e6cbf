#include "support/golden_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace unroll::test {
namespace {

template <typename T>
std::vector<double> widen(std::span<const std::byte> data) {
  std::vector<double> values(data.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}

}  // namespace

::testing::AssertionResult is_close(std::span<const double> got, std::span<const double> expected,
                                    double tolerance) {
  if (got.size() != expected.size())
    return ::testing::AssertionFailure()
           << fmt::format("{} elements, {} expected", got.size(), expected.size());
  double largest = 0;
  for (const double x : expected) largest = std::max(largest, std::abs(x));
  std::size_t worst = 0;
  double worst_error = -1;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(got[i] - expected[i]);
    if (!std::isfinite(error))
      return ::testing::AssertionFailure()
             << fmt::format("element {} is {}, {} expected", i, got[i], expected[i]);
    if (error > worst_error) worst = i, worst_error = error;
  }
  if (worst_error <= tolerance * largest) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << fmt::format("element {} is {}, {} expected: off by {:.2e}, {:.2e} allowed", worst,
                        got[worst], expected[worst], worst_error, tolerance * largest);
}

::testing::AssertionResult is_close(std::span<const float> got, std::span<const double> expected,
                                    double tolerance) {
  return is_close(std::vector<double>(got.begin(), got.end()), expected, tolerance);
}

::testing::AssertionResult has_bits_of(std::span<const std::byte> got,
                                       const io::ArrayView& expected) {
  if (got.size() != expected.data.size())
    return ::testing::AssertionFailure() << fmt::format("{}: {} bytes, {} expected", expected.name,
                                                        got.size(), expected.data.size());
  const auto [mine, theirs] = std::mismatch(got.begin(), got.end(), expected.data.begin());
  if (mine == got.end()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << fmt::format("{}: the bits differ from element {} on", expected.name,
                        (theirs - expected.data.begin()) / io::size_of(expected.type));
}

std::vector<double> values_of(const io::ArrayView& array) {
  switch (array.type) {
    case io::ElementType::i64:
      return widen<std::int64_t>(array.data);
    case io::ElementType::i32:
      return widen<std::int32_t>(array.data);
    case io::ElementType::i16:
      return widen<std::int16_t>(array.data);
    case io::ElementType::i8:
      return widen<std::int8_t>(array.data);
    case io::ElementType::u8:
    case io::ElementType::boolean:
      return widen<std::uint8_t>(array.data);
    default:
      return io::floats_of<double>(array);
  }
}

}  // namespace unroll::test
