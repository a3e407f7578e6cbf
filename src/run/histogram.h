// The distribution of a tensor's values.
#pragma once

#include <cstdint>
#include <vector>

#include "unroll/tensor/tensor.h"

namespace unroll::run {

/// Numbers are finite: others are not counted.
struct Histogram {
  double min = 0, max = 0;  // 0 if there is no number
  std::int64_t count = 0;
  double sum = 0, sum_of_squares = 0;
  /// Bucket i counts the numbers x with limits[i - 1] < x <= limits[i]. All have the same width,
  /// from min to max. The first one has min, too.
  std::vector<double> limits;
  std::vector<double> counts;
};

/// With 30 buckets, or one if all numbers are the same.
Histogram histogram_of(const Tensor& tensor);

}  // namespace unroll::run
