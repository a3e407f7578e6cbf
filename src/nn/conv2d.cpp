#include "unroll/nn/conv2d.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/node.h"
#include "core/batch_part.h"
#include "core/float_environment.h"
#include "kernels/convolution.h"
#include "unroll/core/error.h"
#include "unroll/nn/init.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;
using kernels::ConvolutionPlan;
using kernels::ConvolutionShape;

constexpr std::int64_t kLargest = std::int64_t{1} << 31;

void check_steps(Size2d stride, Size2d padding) {
  const auto outside = [](std::int64_t value, std::int64_t least) {
    return value < least || value > kLargest;
  };
  if (outside(stride.height, 1) || outside(stride.width, 1))
    throw ValueError("conv2d", fmt::format("stride is {} x {}, expected 1 to {} each",
                                           stride.height, stride.width, kLargest));
  if (outside(padding.height, 0) || outside(padding.width, 0))
    throw ValueError("conv2d", fmt::format("padding is {} x {}, expected 0 to {} each",
                                           padding.height, padding.width, kLargest));
}

void check_conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias, Size2d stride,
                  Size2d padding) {
  if (weight.rank() != 4 || weight.numel() == 0)
    throw ShapeError("conv2d", fmt::format("weight has shape {}, expected [out_channels, "
                                           "in_channels, height, width]",
                                           weight.shape().str()));
  if (input.rank() != 4 || input.numel() == 0)
    throw ShapeError("conv2d", fmt::format("input has shape {}, expected [batch, channels, height, "
                                           "width]",
                                           input.shape().str()));
  if (input.size(1) != weight.size(1))
    throw ShapeError("conv2d", fmt::format("input has {} channels, weight expects {}",
                                           input.size(1), weight.size(1)));
  if (bias.defined() && bias.shape() != Shape{weight.size(0)})
    throw ShapeError("conv2d", fmt::format("bias has shape {}, expected [{}]", bias.shape().str(),
                                           weight.size(0)));
  if (input.dtype() != weight.dtype() || (bias.defined() && bias.dtype() != weight.dtype()))
    throw ShapeError("conv2d", fmt::format("input is {}, weight is {}; expected one type",
                                           name_of(input.dtype()), name_of(weight.dtype())));
  check_steps(stride, padding);
  if (weight.size(2) > input.size(2) + 2 * padding.height ||
      weight.size(3) > input.size(3) + 2 * padding.width)
    throw ShapeError("conv2d",
                     fmt::format("a kernel of {} x {} does not fit into an input of {} x {} with "
                                 "padding {} x {}",
                                 weight.size(2), weight.size(3), input.size(2), input.size(3),
                                 padding.height, padding.width));
}

ConvolutionShape shape_of(const Tensor& input, const Tensor& weight, Size2d stride,
                          Size2d padding) {
  ConvolutionShape s;
  s.batch = static_cast<std::size_t>(input.size(0));
  s.channels = static_cast<std::size_t>(input.size(1));
  s.outputs = static_cast<std::size_t>(weight.size(0));
  s.input = {input.size(2), input.size(3)};
  s.kernel = {weight.size(2), weight.size(3)};
  s.stride = stride;
  s.padding = padding;
  s.shards = shards_of(s.batch);
  s.output = {(s.input.height + 2 * s.padding.height - s.kernel.height) / s.stride.height + 1,
              (s.input.width + 2 * s.padding.width - s.kernel.width) / s.stride.width + 1};
  return s;
}

Tensor scratch_of(std::size_t elements, DType dtype) {
  return Tensor::empty({static_cast<std::int64_t>(elements)}, dtype);
}

struct Conv2dNode : autograd::Node {
  ConvolutionShape shape;
  Tensor x, weight;  // without history
  Shape output_shape;

  void backward(std::span<const Gradient> outputs, std::span<Gradient> gradients) override {
    const Tensor dy = outputs[0].dense(output_shape);
    const ConvolutionPlan plan(shape);
    dispatch("conv2d", dy.dtype(), [&]<class T>(T*) {
      if (needs(0)) {
        const Tensor dx = gradients[0].value = Tensor::empty(x.shape(), x.dtype());
        kernels::convolution_input_gradient(plan, dy.data<T>(), raw_data<T>(weight), dx.data<T>(),
                                            scratch_of(plan.input_scratch, x.dtype()).data<T>());
      }
      if (!needs(1) && !needs(2)) return;
      const Tensor dweight = gradients[1].value = Tensor::empty(weight.shape(), x.dtype());
      if (needs(2)) gradients[2].value = Tensor::empty({weight.size(0)}, x.dtype());
      T* const dbias = needs(2) ? gradients[2].value.data<T>() : nullptr;
      kernels::convolution_weight_gradient(plan, x.data<T>(), dy.data<T>(), dweight.data<T>(),
                                           dbias,
                                           scratch_of(plan.weight_scratch, x.dtype()).data<T>());
    });
  }
};

}  // namespace

Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias, Size2d stride,
              Size2d padding) {
  check_conv2d(input, weight, bias, stride, padding);
  const FloatEnvironment environment;
  const Tensor x = input.detach().contiguous(), w = weight.detach().contiguous();
  const Tensor b = bias.defined() ? bias.detach().contiguous() : Tensor();
  const ConvolutionShape shape = shape_of(x, w, stride, padding);
  const ConvolutionPlan plan(shape);
  Tensor y =
      Tensor::empty({x.size(0), w.size(0), shape.output.height, shape.output.width}, x.dtype());
  dispatch("conv2d", x.dtype(), [&]<class T>(T*) {
    kernels::convolve(plan, x.data<T>(), raw_data<T>(w), b.defined() ? raw_data<T>(b) : nullptr,
                      y.data<T>(), scratch_of(plan.forward_scratch, x.dtype()).data<T>());
  });
  if (autograd::recording(input, weight, bias)) {
    auto node = make_pooled<Conv2dNode>();
    node->shape = shape;
    node->x = x;
    node->weight = w;
    node->output_shape = y.shape();
    autograd::record(node, y, input, weight, bias);
  }
  return y;
}

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, Size2d kernel_size,
               const Options& options)
    : stride_(options.stride), padding_(options.padding) {
  initialise(in_channels, out_channels, kernel_size, options);
}

Conv2d::Conv2d(const Child& place, std::int64_t in_channels, std::int64_t out_channels,
               Size2d kernel_size, const Options& options)
    : Module(place), stride_(options.stride), padding_(options.padding) {
  initialise(in_channels, out_channels, kernel_size, options);
}

void Conv2d::initialise(std::int64_t in_channels, std::int64_t out_channels, Size2d kernel_size,
                        const Options& options) {
  if (in_channels < 1 || out_channels < 1 || kernel_size.height < 1 || kernel_size.width < 1)
    throw ValueError("conv2d",
                     fmt::format("{} channels in, {} out and a kernel of {} x {}; "
                                 "expected at least 1 each",
                                 in_channels, out_channels, kernel_size.height, kernel_size.width));
  check_steps(stride_, padding_);
  const FloatEnvironment environment;
  Generator& generator = options.generator ? *options.generator : default_generator();
  weight = Tensor::empty({out_channels, in_channels, kernel_size.height, kernel_size.width},
                         options.dtype);
  const double fan_in = static_cast<double>(weight.numel() / out_channels);
  init::kaiming_uniform(weight, std::sqrt(5.0), generator);
  weight = add_parameter("weight", weight);
  if (options.bias) {
    bias = Tensor::empty({out_channels}, options.dtype);
    init::uniform(bias, -1 / std::sqrt(fan_in), 1 / std::sqrt(fan_in), generator);
    bias = add_parameter("bias", bias);
  }
}

}  // namespace unroll::nn
