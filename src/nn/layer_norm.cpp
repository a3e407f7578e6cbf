#include "unroll/nn/layer_norm.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/elementwise.h"
#include "autograd/node.h"
#include "core/float_environment.h"
#include "core/parallel.h"
#include "core/shard_sums.h"
#include "kernels/layer_norm.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;

constexpr std::size_t kElementsPerTask = std::size_t{1} << 14;
constexpr std::size_t kColumnsPerTask = 64;

double checked_eps(double eps) {
  if (!(eps >= 0))
    throw ValueError("layer_norm", fmt::format("eps is {}, expected at least 0", eps));
  return eps;
}

void check_layer_norm(const Tensor& input, const Shape& shape, const Tensor& weight,
                      const Tensor& bias) {
  const int rank = shape.rank();
  const bool fits = rank > 0 && rank <= input.rank() && shape.numel() > 0 &&
                    std::equal(shape.begin(), shape.end(), input.shape().end() - rank);
  if (!fits)
    throw ShapeError("layer_norm",
                     fmt::format("input has shape {}, expected the last dimensions {}",
                                 input.shape().str(), shape.str()));
  const auto check_like = [&](const Tensor& tensor, std::string_view name) {
    if (tensor.defined() && (tensor.shape() != shape || tensor.dtype() != input.dtype()))
      throw ShapeError("layer_norm",
                       fmt::format("{} is {} of shape {}, expected {} of shape {}", name,
                                   name_of(tensor.dtype()), tensor.shape().str(),
                                   name_of(input.dtype()), shape.str()));
  };
  check_like(weight, "weight");
  check_like(bias, "bias");
}

/// x is (rows, size); statistics are mean and 1 / sqrt(var + eps) of each row.
struct LayerNormNode : autograd::Node {
  Tensor x, weight, statistics;  // without history; the last (rows, 2)
  std::size_t rows = 0, size = 0;
  Shards shards;  // of the rows
  Shape parameter_shape;

  void backward(std::span<const Gradient> outputs, std::span<Gradient> gradients) override {
    const Tensor dy = outputs[0].dense(x.shape());
    dispatch("layer_norm", dy.dtype(), [&]<class T>(T*) {
      if (needs(0)) {
        gradients[0].value = Tensor::empty(x.shape(), x.dtype());
        input_gradient(dy.data<T>(), gradients[0].value.data<T>());
      }
      for (const std::size_t i : {1, 2})
        if (needs(i)) gradients[i].value = Tensor::empty(parameter_shape, x.dtype());
      if (needs(1) || needs(2))
        parameter_gradients(dy.data<T>(), needs(1) ? gradients[1].value.data<T>() : nullptr,
                            needs(2) ? gradients[2].value.data<T>() : nullptr);
    });
  }

  /// With the normalised x as z and d = dy weight: dx = (d - mean(d) - z mean(d z)) / sqrt(var +
  /// eps).
  template <class T>
  void input_gradient(const T* dy, T* dx) const {
    const T* const w = weight.defined() ? raw_data<T>(weight) : nullptr;
    for_rows([&](std::size_t row) {
      const T mean = statistics.data<T>()[2 * row], scale = statistics.data<T>()[2 * row + 1];
      const T *const from = x.data<T>() + row * size, *const d = dy + row * size;
      T* const to = dx + row * size;
      double sum = 0, sum_z = 0;
      for (std::size_t i = 0; i < size; ++i) {
        to[i] = w ? d[i] * w[i] : d[i];
        sum += static_cast<double>(to[i]);
        sum_z += static_cast<double>(to[i]) * static_cast<double>((from[i] - mean) * scale);
      }
      const T average = static_cast<T>(sum / static_cast<double>(size)),
              average_z = static_cast<T>(sum_z / static_cast<double>(size));
      for (std::size_t i = 0; i < size; ++i)
        to[i] = (to[i] - average - (from[i] - mean) * scale * average_z) * scale;
    });
  }

  /// dweight = sum of dy z and dbias = sum of dy over the rows, in f64 within a shard; either may
  /// be null.
  template <class T>
  void parameter_gradients(const T* dy, T* dweight, T* dbias) const {
    parallel_pieces(size, kColumnsPerTask, [&](std::size_t begin, std::size_t end) {
      const std::size_t count = end - begin;
      T sums[2 * kColumnsPerTask];  // of the weight, then of the bias
      sum_over_shards(shards.count(), 2 * count, sums, [&](std::size_t k, T* to) {
        double sum_z[kColumnsPerTask] = {}, sum[kColumnsPerTask] = {};
        const std::size_t stop = shards.begin(k + 1);
        for (std::size_t row = shards.begin(k); row < stop; ++row) {
          const T mean = statistics.data<T>()[2 * row], scale = statistics.data<T>()[2 * row + 1];
          const T *const from = x.data<T>() + row * size, *const d = dy + row * size;
          for (std::size_t i = begin; i < end; ++i) {
            sum_z[i - begin] +=
                static_cast<double>(d[i]) * static_cast<double>((from[i] - mean) * scale);
            sum[i - begin] += static_cast<double>(d[i]);
          }
        }
        std::transform(sum_z, sum_z + count, to, [](double s) { return static_cast<T>(s); });
        std::transform(sum, sum + count, to + count, [](double s) { return static_cast<T>(s); });
      });
      if (dweight) std::copy_n(sums, count, dweight + begin);
      if (dbias) std::copy_n(sums + count, count, dbias + begin);
    });
  }

  template <class F>
  void for_rows(F&& f) const {
    parallel_pieces(rows, std::max<std::size_t>(1, kElementsPerTask / size),
                    [&](std::size_t begin, std::size_t end) {
                      for (std::size_t row = begin; row < end; ++row) f(row);
                    });
  }
};

}  // namespace

Tensor layer_norm(const Tensor& input, const Shape& normalized_shape, const Tensor& weight,
                  const Tensor& bias, double eps) {
  check_layer_norm(input, normalized_shape, weight, bias);
  checked_eps(eps);
  const FloatEnvironment environment;
  auto node = make_pooled<LayerNormNode>();
  node->x = input.detach().contiguous();
  if (weight.defined()) node->weight = weight.detach().contiguous();
  node->size = static_cast<std::size_t>(normalized_shape.numel());
  node->rows = static_cast<std::size_t>(input.numel()) / node->size;
  node->shards = autograd::shards_of_elements(
      Shape(std::span(input.shape().begin(), input.shape().end() - normalized_shape.rank())));
  node->parameter_shape = normalized_shape;
  node->statistics = Tensor::empty({static_cast<std::int64_t>(node->rows), 2}, input.dtype());
  const Tensor b = bias.defined() ? bias.detach().contiguous() : Tensor();
  Tensor y = Tensor::empty(input.shape(), input.dtype());
  dispatch("layer_norm", input.dtype(), [&]<class T>(T*) {
    const T* const scale_by = weight.defined() ? raw_data<T>(node->weight) : nullptr;
    const T* const add = b.defined() ? raw_data<T>(b) : nullptr;
    const std::size_t size = node->size;
    node->for_rows([&](std::size_t row) {
      const auto by = kernels::normalise_row(node->x.data<T>() + row * size, size, eps, scale_by,
                                             add, y.data<T>() + row * size);
      node->statistics.data<T>()[2 * row] = by.mean;
      node->statistics.data<T>()[2 * row + 1] = by.scale;
    });
  });
  if (autograd::recording(input, weight, bias)) autograd::record(node, y, input, weight, bias);
  return y;
}

LayerNorm::LayerNorm(const Shape& normalized_shape, const Options& options)
    : normalized_shape_(normalized_shape), eps_(checked_eps(options.eps)) {
  initialise(options);
}

LayerNorm::LayerNorm(const Child& place, const Shape& normalized_shape, const Options& options)
    : Module(place), normalized_shape_(normalized_shape), eps_(checked_eps(options.eps)) {
  initialise(options);
}

void LayerNorm::initialise(const Options& options) {
  if (normalized_shape_.rank() == 0 ||
      std::ranges::any_of(normalized_shape_, [](std::int64_t size) { return size < 1; }))
    throw ValueError("layer_norm", fmt::format("normalized_shape is {}, expected sizes of at least "
                                               "1",
                                               normalized_shape_.str()));
  if (!options.elementwise_affine) return;
  weight = add_parameter("weight", Tensor::full(normalized_shape_, 1, options.dtype));
  if (options.bias) bias = add_parameter("bias", Tensor::full(normalized_shape_, 0, options.dtype));
}

}  // namespace unroll::nn
