#include "run/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "tensor/tensor_impl.h"

namespace unroll::run {
namespace {

constexpr int kBuckets = 30;

template <class T>
Histogram histogram_of_values(std::span<const T> values) {
  Histogram h;
  for (const T value : values) {
    if (!std::isfinite(value)) continue;
    const auto x = static_cast<double>(value);
    h.min = h.count == 0 ? x : std::min(h.min, x);
    h.max = h.count == 0 ? x : std::max(h.max, x);
    ++h.count;
    h.sum += x;
    h.sum_of_squares += x * x;
  }
  const int buckets = h.min == h.max ? 1 : kBuckets;
  // Parts of the ends, because the difference of large ones overflows.
  for (int i = 1; i < buckets; ++i) {
    const double part = static_cast<double>(i) / buckets;
    h.limits.push_back(h.min * (1 - part) + h.max * part);
  }
  h.limits.push_back(h.max);
  h.counts.resize(h.limits.size());
  for (const T value : values) {
    if (!std::isfinite(value)) continue;
    const auto bucket = std::ranges::lower_bound(h.limits, static_cast<double>(value));
    ++h.counts[static_cast<std::size_t>(bucket - h.limits.begin())];
  }
  return h;
}

}  // namespace

Histogram histogram_of(const Tensor& tensor) {
  return dispatch("tensorboard", tensor.dtype(), [&]<class T>(T*) {
    return histogram_of_values(std::span<const T>(raw_values<T>(tensor)));
  });
}

}  // namespace unroll::run
