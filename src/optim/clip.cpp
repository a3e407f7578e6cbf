#include "unroll/optim/clip.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "core/float_environment.h"
#include "core/in_this_mode.h"
#include "optim/norm.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::optim {

double sum_of_squares(const Tensor& tensor) {
  constexpr std::size_t kSums = 16;
  std::array<double, kSums> sums{};
  dispatch("norm", tensor.dtype(), [&]<class T>(T*) {
    const auto x = tensor.values<T>();
    std::size_t i = 0;
    for (; i + kSums <= x.size(); i += kSums)
      for (std::size_t s = 0; s < kSums; ++s) {
        const double v = static_cast<double>(x[i + s]);
        sums[s] += v * v;
      }
    for (std::size_t s = 0; i < x.size(); ++i, ++s) {
      const double v = static_cast<double>(x[i]);
      sums[s] += v * v;
    }
  });
  for (std::size_t half = kSums / 2; half > 0; half /= 2)
    for (std::size_t s = 0; s < half; ++s) sums[s] += sums[s + half];
  return sums[0];
}

double grad_norm(const Parameters& parameters) {
  const FloatEnvironment environment;
  double total = 0;
  for (const auto& p : parameters) {
    const Tensor gradient = p.value.grad();
    if (gradient.defined()) total += sum_of_squares(gradient);
  }
  return in_this_mode(std::sqrt(in_this_mode(total)));
}

double clip_grad_norm(const Parameters& parameters, double max_norm) {
  if (!(max_norm > 0))
    throw ValueError("clip_grad_norm",
                     fmt::format("max_norm = {}, expected more than 0", max_norm));
  if (parameters.empty())
    throw ValueError("clip_grad_norm",
                     "there are no parameters; a model's parameters() lists only layers made with "
                     "child(\"name\")");
  const FloatEnvironment environment;
  const double norm = grad_norm(parameters);
  const double factor = max_norm / (norm + 1e-6);
  if (!(factor < 1)) return norm;
  for (const auto& p : parameters) {
    const Tensor gradient = p.value.grad();
    if (!gradient.defined()) continue;
    dispatch("clip_grad_norm", gradient.dtype(), [&]<class T>(T*) {
      for (T& g : gradient.values<T>()) g *= static_cast<T>(factor);
    });
  }
  return norm;
}

}  // namespace unroll::optim
