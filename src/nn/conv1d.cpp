#include "unroll/nn/conv1d.h"

#include <fmt/format.h>

#include <cmath>
#include <memory_resource>
#include <vector>

#include "autograd/node.h"
#include "core/batch_part.h"
#include "core/float_environment.h"
#include "core/workspace.h"
#include "kernels/convolution1d.h"
#include "nn/lengths.h"
#include "unroll/core/error.h"
#include "unroll/nn/init.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;
using kernels::Convolution1dShape;

constexpr std::int64_t kLargestSize = std::int64_t{1} << 31;

void check_range(std::string_view what, std::int64_t value, std::int64_t least) {
  if (value < least || value > kLargestSize)
    throw ValueError("conv1d",
                     fmt::format("{} is {}, expected {} to {}", what, value, least, kLargestSize));
}

void check_windows(const StepWindows& windows, std::int64_t groups) {
  check_range("kernel", windows.kernel, 1);
  check_range("stride", windows.stride, 1);
  check_range("padding", windows.padding, 0);
  check_range("dilation", windows.dilation, 1);
  check_range("groups", groups, 1);
  if (windows.causal && windows.padding > 0)
    throw ValueError("conv1d", fmt::format("causal with padding {}, expected padding 0: a causal "
                                           "convolution chooses its padding itself",
                                           windows.padding));
}

void check_conv1d(const Tensor& input, const Tensor& weight, const Tensor& bias,
                  const StepWindows& windows, std::int64_t groups,
                  std::span<const std::int64_t> lengths) {
  if (weight.rank() != 3 || weight.numel() == 0)
    throw ShapeError("conv1d", fmt::format("weight has shape {}, expected [out_channels, "
                                           "in_channels / groups, kernel]",
                                           weight.shape().str()));
  if (input.rank() != 3 || input.numel() == 0)
    throw ShapeError("conv1d", fmt::format("input has shape {}, expected [batch, steps, channels]",
                                           input.shape().str()));
  check_windows(windows, groups);
  if (weight.size(2) != windows.kernel)
    throw ShapeError("conv1d", fmt::format("weight has a kernel of {}, windows of {}",
                                           weight.size(2), windows.kernel));
  if (weight.size(0) % groups != 0)
    throw ShapeError("conv1d", fmt::format("weight has {} output channels, expected a multiple of "
                                           "the {} groups",
                                           weight.size(0), groups));
  if (input.size(2) != weight.size(1) * groups)
    throw ShapeError("conv1d", fmt::format("input has {} channels, weight expects {}",
                                           input.size(2), weight.size(1) * groups));
  if (bias.defined() && bias.shape() != Shape{weight.size(0)})
    throw ShapeError("conv1d", fmt::format("bias has shape {}, expected [{}]", bias.shape().str(),
                                           weight.size(0)));
  if (input.dtype() != weight.dtype() || (bias.defined() && bias.dtype() != weight.dtype()))
    throw ShapeError("conv1d", fmt::format("input is {}, weight is {}; expected one type",
                                           name_of(input.dtype()), name_of(weight.dtype())));
  // Elements of the input with zeros around each sequence. In double, which does not overflow.
  constexpr double kMost = 1e14;
  if (static_cast<double>(input.size(0)) * static_cast<double>(input.size(2)) *
          static_cast<double>(input.size(1) + windows.before() + windows.after() + windows.span()) >
      kMost)
    throw ShapeError("conv1d", fmt::format("windows over {} steps with padding {} do not fit in "
                                           "memory",
                                           windows.span(), windows.before()));
  check_lengths("conv1d", lengths, input.size(0), input.size(1));
  for (std::int64_t n = 0; n < input.size(0); ++n) {
    const std::int64_t steps =
        lengths.empty() ? input.size(1) : lengths[static_cast<std::size_t>(n)];
    if (steps < windows.shortest())
      throw ValueError("conv1d",
                       fmt::format("sequence {} has {} steps, expected at least {}: windows reach "
                                   "over {} steps; use a smaller kernel or dilation, or a padding",
                                   n, steps, windows.shortest(), windows.span()));
    if (lengths.empty()) break;
  }
}

/// The shape of a call, and the memory of its lengths.
struct Conv1dSizes {
  Convolution1dShape shape;
  std::pmr::vector<std::size_t> lengths{current_workspace().get()};

  /// To be called where the object stays: the shape points to the lengths.
  const Convolution1dShape& with_lengths() {
    shape.lengths = lengths.empty() ? nullptr : lengths.data();
    return shape;
  }
};

Conv1dSizes call_sizes(const Tensor& input, const Tensor& weight, const StepWindows& windows,
                       std::int64_t groups, std::span<const std::int64_t> lengths) {
  Conv1dSizes sizes;
  Convolution1dShape& s = sizes.shape;
  s.batch = static_cast<std::size_t>(input.size(0));
  s.steps = static_cast<std::size_t>(input.size(1));
  s.channels = static_cast<std::size_t>(input.size(2));
  s.outputs = static_cast<std::size_t>(weight.size(0));
  s.groups = static_cast<std::size_t>(groups);
  s.windows = windows;
  s.shards = shards_of(s.batch);
  sizes.lengths.assign(lengths.begin(), lengths.end());
  return sizes;
}

Tensor room_for(std::size_t elements, DType dtype) {
  return Tensor::empty({static_cast<std::int64_t>(elements)}, dtype);
}

struct Conv1dNode : autograd::Node {
  Conv1dSizes sizes;
  Tensor padded, weight;  // without history
  Shape input_shape, output_shape;

  void backward(std::span<const Gradient> outputs, std::span<Gradient> gradients) override {
    const Tensor dy = outputs[0].dense(output_shape);
    const Convolution1dShape& s = sizes.with_lengths();
    const DType dtype = dy.dtype();
    dispatch("conv1d", dtype, [&]<class T>(T*) {
      const Tensor packed = room_for(s.weights(), dtype);
      if (needs(0)) {
        const Tensor dx = gradients[0].value = Tensor::empty(input_shape, dtype);
        kernels::convolution1d_input_gradient(s, dy.data<T>(), raw_data<T>(weight), dx.data<T>(),
                                              packed.data<T>(),
                                              room_for(s.padded_size(), dtype).data<T>());
      }
      if (!needs(1) && !needs(2)) return;
      const Tensor dweight = gradients[1].value = Tensor::empty(weight.shape(), dtype);
      if (needs(2)) gradients[2].value = Tensor::empty({weight.size(0)}, dtype);
      T* const dbias = needs(2) ? gradients[2].value.data<T>() : nullptr;
      kernels::convolution1d_weight_gradient(
          s, padded.data<T>(), dy.data<T>(), dweight.data<T>(), dbias,
          room_for(s.batch * s.padded_windows() * s.outputs, dtype).data<T>(), packed.data<T>());
    });
  }
};

}  // namespace

Tensor conv1d(const Tensor& input, const Tensor& weight, const Tensor& bias,
              const StepWindows& windows, std::int64_t groups,
              std::span<const std::int64_t> lengths) {
  check_conv1d(input, weight, bias, windows, groups, lengths);
  const FloatEnvironment environment;
  const Tensor x = input.detach().contiguous(), w = weight.detach().contiguous();
  const Tensor b = bias.defined() ? bias.detach().contiguous() : Tensor();
  Conv1dSizes sizes = call_sizes(x, w, windows, groups, lengths);
  const Convolution1dShape& s = sizes.with_lengths();
  const auto steps = static_cast<std::int64_t>(s.out_steps());
  Tensor y = Tensor::empty({x.size(0), steps, w.size(0)}, x.dtype());
  const Tensor padded = room_for(s.padded_size(), x.dtype());
  dispatch("conv1d", x.dtype(), [&]<class T>(T*) {
    const Tensor packed = room_for(s.weights(), x.dtype());
    kernels::pack_convolution1d(s, raw_data<T>(w), packed.data<T>());
    kernels::pad_sequences<T>(s, {raw_data<T>(x), x.stride(1), x.stride(0)}, padded.data<T>());
    kernels::convolve_steps<T>(s, padded.data<T>(), packed.data<T>(),
                               b.defined() ? raw_data<T>(b) : nullptr,
                               {y.data<T>(), y.stride(1), y.stride(0)});
  });
  if (autograd::recording(input, weight, bias)) {
    auto node = make_pooled<Conv1dNode>();
    node->sizes = std::move(sizes);
    node->padded = padded;
    node->weight = w;
    node->input_shape = x.shape();
    node->output_shape = y.shape();
    autograd::record(node, y, input, weight, bias);
  }
  return y;
}

Conv1d::Conv1d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size,
               const Options& options)
    : windows_{kernel_size, options.stride, options.padding, options.dilation, options.causal},
      groups_(options.groups) {
  initialise(in_channels, out_channels, options);
}

Conv1d::Conv1d(const Child& place, std::int64_t in_channels, std::int64_t out_channels,
               std::int64_t kernel_size, const Options& options)
    : Module(place),
      windows_{kernel_size, options.stride, options.padding, options.dilation, options.causal},
      groups_(options.groups) {
  initialise(in_channels, out_channels, options);
}

void Conv1d::initialise(std::int64_t in_channels, std::int64_t out_channels,
                        const Options& options) {
  check_range("in_channels", in_channels, 1);
  check_range("out_channels", out_channels, 1);
  check_windows(windows_, groups_);
  if (in_channels % groups_ != 0 || out_channels % groups_ != 0)
    throw ValueError("conv1d", fmt::format("{} channels in and {} out, expected multiples of the "
                                           "{} groups",
                                           in_channels, out_channels, groups_));
  const FloatEnvironment environment;
  Generator& generator = options.generator ? *options.generator : default_generator();
  weight = Tensor::empty({out_channels, in_channels / groups_, windows_.kernel}, options.dtype);
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
