#include "unroll/nn/max_pool2d.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/node.h"
#include "core/float_environment.h"
#include "core/parallel.h"
#include "kernels/max_pool.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;
using kernels::Windows;

constexpr std::int64_t kLargestWindow = std::int64_t{1} << 31;
constexpr std::size_t kElementsPerPool = std::size_t{1} << 14;

void check_max_pool2d(Size2d kernel, const MaxPool2dOptions& options) {
  const Size2d stride = options.stride.value_or(kernel), padding = options.padding;
  const auto outside = [](std::int64_t value, std::int64_t least, std::int64_t most) {
    return value < least || value > most;
  };
  if (outside(kernel.height, 1, kLargestWindow) || outside(kernel.width, 1, kLargestWindow))
    throw ValueError("max_pool2d", fmt::format("kernel is {} x {}, expected 1 to {} each",
                                               kernel.height, kernel.width, kLargestWindow));
  if (outside(stride.height, 1, kLargestWindow) || outside(stride.width, 1, kLargestWindow))
    throw ValueError("max_pool2d", fmt::format("stride is {} x {}, expected 1 to {} each",
                                               stride.height, stride.width, kLargestWindow));
  if (outside(padding.height, 0, kernel.height / 2) || outside(padding.width, 0, kernel.width / 2))
    throw ValueError("max_pool2d",
                     fmt::format("padding is {} x {}, expected 0 to half of the "
                                 "kernel, which is {} x {}",
                                 padding.height, padding.width, kernel.height, kernel.width));
}

/// Calls f(plane) for `count` planes of `elements` elements, on all threads.
template <class F>
void for_planes(std::size_t count, std::size_t elements, F&& f) {
  parallel_pieces(count, std::max<std::size_t>(1, kElementsPerPool / elements),
                  [&](std::size_t begin, std::size_t end) {
                    for (std::size_t plane = begin; plane < end; ++plane) f(plane);
                  });
}

}  // namespace

Tensor max_pool2d(const Tensor& input, Size2d kernel_size, const MaxPool2dOptions& options) {
  check_max_pool2d(kernel_size, options);
  if (input.rank() != 4 || input.numel() == 0)
    throw ShapeError("max_pool2d", fmt::format("input has shape {}, expected [batch, channels, "
                                               "height, width]",
                                               input.shape().str()));
  const Size2d stride = options.stride.value_or(kernel_size);
  const Windows rows{input.size(2), kernel_size.height, stride.height, options.padding.height};
  const Windows columns{input.size(3), kernel_size.width, stride.width, options.padding.width};
  if (rows.kernel > rows.size + 2 * rows.padding ||
      columns.kernel > columns.size + 2 * columns.padding)
    throw ShapeError("max_pool2d",
                     fmt::format("a kernel of {} x {} does not fit into an input of {} x {} with "
                                 "padding {} x {}",
                                 rows.kernel, columns.kernel, rows.size, columns.size, rows.padding,
                                 columns.padding));
  const FloatEnvironment environment;
  const Tensor x = input.detach().contiguous();
  const Shape shape{x.size(0), x.size(1), rows.count(), columns.count()};
  Tensor y = Tensor::empty(shape, x.dtype());
  const Tensor places = Tensor::empty(shape, DType::i64);
  const auto planes = static_cast<std::size_t>(x.size(0) * x.size(1));
  const auto in = static_cast<std::size_t>(rows.size * columns.size);
  const auto out = static_cast<std::size_t>(rows.count() * columns.count());
  dispatch("max_pool2d", x.dtype(), [&]<class T>(T*) {
    kernels::max_pool(planes, rows, columns, x.data<T>(), y.data<T>(), places.data<std::int64_t>());
  });
  return autograd::with_backward(
      y,
      [places, planes, in, out, input_shape = x.shape()](const Gradient& g,
                                                         std::span<Gradient> inputs) {
        const Tensor dy = g.dense(places.shape());
        const Tensor dx = inputs[0].value = Tensor::empty(input_shape, dy.dtype());
        dispatch("max_pool2d", dy.dtype(), [&]<class T>(T*) {
          for_planes(planes, in, [&](std::size_t plane) {
            T* const to = dx.data<T>() + plane * in;
            const T* const from = dy.data<T>() + plane * out;
            const std::int64_t* const at = places.data<std::int64_t>() + plane * out;
            std::fill_n(to, in, T{0});
            for (std::size_t i = 0; i < out; ++i) to[at[i]] += from[i];
          });
        });
      },
      input);
}

MaxPool2d::MaxPool2d(Size2d kernel_size, const Options& options)
    : kernel_size_(kernel_size), options_(options) {
  check_max_pool2d(kernel_size_, options_);
}

MaxPool2d::MaxPool2d(const Child& place, Size2d kernel_size, const Options& options)
    : Module(place), kernel_size_(kernel_size), options_(options) {
  check_max_pool2d(kernel_size_, options_);
}

}  // namespace unroll::nn
