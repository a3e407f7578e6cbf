#include "unroll/optim/clip.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/float_environment.h"
#include "core/in_this_mode.h"
#include "optim/norm.h"
#include "optim/pieces.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::optim {

namespace {

template <class T>
double sum_of_piece(std::span<const T> x) {
  constexpr std::size_t kSums = 16;
  std::array<double, kSums> sums{};
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
  for (std::size_t half = kSums / 2; half > 0; half /= 2)
    for (std::size_t s = 0; s < half; ++s) sums[s] += sums[s + half];
  return sums[0];
}

double norm_of(const Parameters& parameters, const Pieces& pieces) {
  std::pmr::vector<double> sums(pieces.all().size(), current_workspace().get());
  double* const sum = sums.data();
  pieces.for_each([&parameters, sum](std::size_t number, const Piece& piece) {
    const Tensor gradient = parameters[piece.parameter].value.grad();
    sum[number] = dispatch("norm", gradient.dtype(), [&]<class T>(T*) {
      return sum_of_piece<T>(part_of<T>(gradient, piece.begin, piece.end));
    });
  });
  double total = 0;
  for (std::size_t i = 0; i < sums.size();) {
    double of_parameter = 0;
    const std::size_t parameter = pieces.all()[i].parameter;
    for (; i < sums.size() && pieces.all()[i].parameter == parameter; ++i) of_parameter += sums[i];
    total += of_parameter;
  }
  return in_this_mode(std::sqrt(in_this_mode(total)));
}

}  // namespace

template <class T>
double sum_of_squares(std::span<const T> x) {
  double total = 0;
  for (std::size_t begin = 0; begin < x.size(); begin += Pieces::size)
    total += sum_of_piece<T>(x.subspan(begin, std::min(Pieces::size, x.size() - begin)));
  return total;
}
template double sum_of_squares(std::span<const float>);
template double sum_of_squares(std::span<const double>);

double grad_norm(const Parameters& parameters) {
  const FloatEnvironment environment;
  return norm_of(parameters, Pieces(parameters));
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
  const Pieces pieces(parameters);
  const double norm = norm_of(parameters, pieces);
  const double factor = max_norm / (norm + 1e-6);
  if (!(factor < 1)) return norm;
  pieces.for_each([&parameters, factor](std::size_t /*number*/, const Piece& piece) {
    const Tensor gradient = parameters[piece.parameter].value.grad();
    dispatch("clip_grad_norm", gradient.dtype(), [&]<class T>(T*) {
      const T scale = static_cast<T>(factor);
      for (T& g : part_of<T>(gradient, piece.begin, piece.end)) g *= scale;
    });
  });
  for (const Parameter& p : parameters)
    if (const Tensor gradient = p.value.grad(); gradient.defined()) changed(gradient);
  return norm;
}

}  // namespace unroll::optim
