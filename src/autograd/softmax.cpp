// softmax and its logarithm, over the last dimension.
#include <fmt/format.h>

#include "autograd/node.h"
#include "core/float_environment.h"
#include "core/numerics.h"
#include "kernels/table.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"

namespace unroll {
namespace {

using autograd::Gradient;
using autograd::with_backward;

std::size_t classes_of(std::string_view operation, const Tensor& x) {
  if (x.rank() < 1 || x.size(-1) < 1)
    throw ShapeError(operation, fmt::format("got shape {}, expected at least one class in the last "
                                            "dimension",
                                            x.shape().str()));
  return static_cast<std::size_t>(x.size(-1));
}

/// Each element minus the largest of its row.
template <class T>
void shift_rows(const T* from, T* to, std::size_t count, std::size_t classes) {
  for (std::size_t row = 0; row < count; row += classes) {
    T largest = from[row];
    for (std::size_t c = 1; c < classes; ++c)
      largest = from[row + c] > largest ? from[row + c] : largest;
    for (std::size_t c = 0; c < classes; ++c) to[row + c] = from[row + c] - largest;
  }
}

/// In f64, element by element.
template <class T>
double row_sum(const T* row, std::size_t classes) {
  double total = 0;
  for (std::size_t c = 0; c < classes; ++c) total += static_cast<double>(row[c]);
  return total;
}

}  // namespace

Tensor softmax(const Tensor& x) {
  const std::size_t classes = classes_of("softmax", x);
  const FloatEnvironment environment;
  const Tensor in = x.detach().contiguous();
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  dispatch("softmax", x.dtype(), [&]<class T>(T*) {
    const auto to = out.values<T>();
    shift_rows(in.data<T>(), to.data(), to.size(), classes);
    kernels::table<T>().exp(to.data(), to.data(), to.size());
    for (std::size_t row = 0; row < to.size(); row += classes) {
      const T total = static_cast<T>(row_sum(to.data() + row, classes));
      for (std::size_t c = 0; c < classes; ++c) to[row + c] /= total;
    }
  });
  return with_backward(
      out,
      [y = out.detach(), classes](const Gradient& g, std::span<Gradient> inputs) {
        // dL/dx = y (g - sum(g y))
        const Tensor whole = g.dense(y.shape());
        Tensor result = Tensor::empty(y.shape(), y.dtype());
        dispatch("softmax", y.dtype(), [&]<class T>(T*) {
          const auto gradient = whole.values<T>(), probability = y.values<T>();
          const auto to = result.values<T>();
          for (std::size_t row = 0; row < to.size(); row += classes) {
            for (std::size_t c = 0; c < classes; ++c)
              to[row + c] = gradient[row + c] * probability[row + c];
            const T total = static_cast<T>(row_sum(to.data() + row, classes));
            for (std::size_t c = 0; c < classes; ++c)
              to[row + c] = probability[row + c] * (gradient[row + c] - total);
          }
        });
        inputs[0].value = result;
      },
      x);
}

Tensor log_softmax(const Tensor& x) {
  const std::size_t classes = classes_of("log_softmax", x);
  const FloatEnvironment environment;
  const Tensor in = x.detach().contiguous();
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  dispatch("log_softmax", x.dtype(), [&]<class T>(T*) {
    const auto to = out.values<T>();
    shift_rows(in.data<T>(), to.data(), to.size(), classes);
    // exp of all elements in one call; then the sums in f64, class by class.
    const Tensor exponentials = Tensor::empty(x.shape(), x.dtype());
    T* const e = exponentials.data<T>();
    kernels::table<T>().exp(to.data(), e, to.size());
    for (std::size_t row = 0; row < to.size(); row += classes) {
      const T log_total = static_cast<T>(numerics::log(row_sum(e + row, classes)));
      for (std::size_t c = 0; c < classes; ++c) to[row + c] -= log_total;
    }
  });
  return with_backward(
      out,
      [y = out.detach(), classes](const Gradient& g, std::span<Gradient> inputs) {
        // dL/dx = g - softmax(x) sum(g)
        const Tensor whole = g.dense(y.shape());
        Tensor result = Tensor::empty(y.shape(), y.dtype());
        dispatch("log_softmax", y.dtype(), [&]<class T>(T*) {
          const auto gradient = whole.values<T>();
          const auto to = result.values<T>();
          kernels::table<T>().exp(y.data<T>(), to.data(), to.size());
          for (std::size_t row = 0; row < to.size(); row += classes) {
            const T total = static_cast<T>(row_sum(gradient.data() + row, classes));
            for (std::size_t c = 0; c < classes; ++c)
              to[row + c] = gradient[row + c] - to[row + c] * total;
          }
        });
        inputs[0].value = result;
      },
      x);
}

}  // namespace unroll
