#include "kernels/transpose.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "unroll/core/threads.h"

namespace unroll::kernels {
namespace {

/// Every element is where it should be, and nothing else was written.
template <class T>
void expect_transposed(std::size_t rows, std::size_t columns, std::size_t to_row) {
  std::vector<T> from(rows * columns);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<T>(i + 1);
  std::vector<T> to(columns * to_row, T{-1});
  transpose(from.data(), rows, columns, to.data(), to_row);
  for (std::size_t c = 0; c < columns; ++c)
    for (std::size_t r = 0; r < to_row; ++r)
      ASSERT_EQ(to[c * to_row + r], r < rows ? from[r * columns + c] : T{-1})
          << rows << " x " << columns << " at " << r << ", " << c;
}

TEST(Transpose, AllSmallShapes) {
  for (std::size_t rows = 1; rows <= 35; ++rows)
    for (std::size_t columns = 1; columns <= 35; ++columns)
      for (const std::size_t gap : {0, 3}) {
        expect_transposed<float>(rows, columns, rows + gap);
        expect_transposed<double>(rows, columns, rows + gap);
      }
}

TEST(Transpose, LargeOnesOnAnyNumberOfThreads) {
  const int before = num_threads();
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    for (const auto& [rows, columns] : std::vector<std::pair<std::size_t, std::size_t>>{
             {1, 40000}, {40000, 1}, {181, 182}, {300, 257}}) {
      expect_transposed<float>(rows, columns, rows);
      expect_transposed<double>(rows, columns, rows + 7);
    }
  }
  set_num_threads(before);
}

TEST(Transpose, OfNothing) {
  transpose<float>(nullptr, 0, 5, nullptr, 0);
  transpose<float>(nullptr, 5, 0, nullptr, 5);
}

}  // namespace
}  // namespace unroll::kernels
