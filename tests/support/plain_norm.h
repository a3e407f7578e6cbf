// Layer normalisation of a row as plain loops, with the sums that the kernels document.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace unroll::test {

/// 32 running sums, element j in sum j % 32, that meet in a tree.
template <class T>
T plain_row_sum(const std::vector<T>& row) {
  std::vector<T> sums(32);
  for (std::size_t j = 0; j < row.size(); ++j) sums[j % 32] += row[j];
  for (std::size_t half = 16; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  return sums[0];
}

/// xhat = (x - mean) / sqrt(variance + 1e-5) of a row.
template <class T>
struct PlainNorm {
  T inverse_deviation = 0;
  std::vector<T> xhat;

  PlainNorm() = default;
  explicit PlainNorm(const std::vector<T>& x) {
    // From sums of what is left of x without its first element.
    std::vector<T> away, squares;
    for (const T v : x) {
      away.push_back(v - x[0]);
      squares.push_back(away.back() * away.back());
    }
    const auto count = static_cast<T>(x.size());
    const T mean_away = plain_row_sum(away) / count,
            variance = plain_row_sum(squares) / count - mean_away * mean_away,
            mean = x[0] + mean_away;
    inverse_deviation = 1 / std::sqrt((variance < 0 ? 0 : variance) + T(1e-5));
    for (const T v : x) xhat.push_back((v - mean) * inverse_deviation);
  }

  /// The gradient of x, given that of weight * xhat + bias.
  std::vector<T> backward(const std::vector<T>& dy, const std::vector<T>& weight) const {
    std::vector<T> dx = centred(dy, weight);
    for (T& v : dx) v = inverse_deviation * v;
    return dx;
  }
  /// The same added to what is there.
  std::vector<T> backward(const std::vector<T>& dy, const std::vector<T>& weight,
                          std::vector<T> dx) const {
    const std::vector<T> more = centred(dy, weight);
    for (std::size_t j = 0; j < dx.size(); ++j) dx[j] = std::fma(inverse_deviation, more[j], dx[j]);
    return dx;
  }

 private:
  /// The gradient of xhat without its components along ones and along xhat.
  std::vector<T> centred(const std::vector<T>& dy, const std::vector<T>& weight) const {
    const auto count = static_cast<T>(dy.size());
    std::vector<T> dxhat, along_xhat;
    for (std::size_t j = 0; j < dy.size(); ++j) {
      dxhat.push_back(dy[j] * weight[j]);
      along_xhat.push_back(dxhat[j] * xhat[j]);
    }
    const T mean = plain_row_sum(dxhat) / count, along = plain_row_sum(along_xhat) / count;
    for (std::size_t j = 0; j < dy.size(); ++j)
      dxhat[j] = std::fma(-xhat[j], along, dxhat[j] - mean);
    return dxhat;
  }
};

}  // namespace unroll::test
