#include "unroll/nn/rnn.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/node.h"
#include "core/float_environment.h"
#include "kernels/bf16.h"
#include "kernels/recurrent.h"
#include "unroll/core/error.h"
#include "unroll/nn/init.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;
using kernels::RecurrentPlan;
using kernels::RecurrentShape;

/// A layer's four tensors lie at these places among the node's inputs, after x and h_0.
constexpr std::size_t kFirstWeight = 2, kWeightsPerLayer = 4;

/// The strides of the two outer dimensions of x or y, which may come in either order.
struct SequenceStrides {
  std::ptrdiff_t step, row;
};
SequenceStrides strides_of(const Tensor& sequence, bool batch_first) {
  return {sequence.stride(batch_first ? 1 : 0), sequence.stride(batch_first ? 0 : 1)};
}

/// The whole sequence as one operation.
struct RnnNode : autograd::Node {
  RecurrentShape shape;
  bool batch_first = false;
  Tensor x, h_0;
  Tensor states;                                                // (L, T + 1, N, S)
  std::pmr::vector<Tensor> weights{current_workspace().get()};  // without history, in order

  void backward(std::span<const Gradient> outputs, std::span<Gradient> gradients) override {
    dispatch("rnn", x.dtype(), [&]<class T>(T*) { run<T>(outputs, gradients); });
  }

  template <class T>
  void run(std::span<const Gradient> outputs, std::span<Gradient> gradients) {
    const RecurrentPlan plan(shape);
    const DType dtype = x.dtype();
    std::pmr::vector<kernels::RecurrentWeights<T>> pointers(current_workspace().get());
    for (std::size_t l = 0; l < shape.layers; ++l) pointers.push_back(weights_of<T>(l));
    const Tensor blocks = Tensor::empty({static_cast<std::int64_t>(plan.gradient_blocks),
                                         static_cast<std::int64_t>(plan.gradient_size)},
                                        dtype);
    const Tensor scratch = Tensor::empty({static_cast<std::int64_t>(plan.backward_scratch)}, dtype);

    kernels::RecurrentBackward<T> call{};
    call.shape = shape;
    call.weights = pointers.data();
    call.input = x.data<T>();
    call.input_step = strides_of(x, batch_first).step;
    call.input_row = strides_of(x, batch_first).row;
    call.has_h_0 = h_0.defined();
    call.states = states.data<T>();
    call.gradients = blocks.data<T>();
    call.scratch = scratch.data<T>();
    const Tensor grad_output = set_output_gradient(outputs[0], call);
    const Tensor grad_h_n = outputs[1].defined() ? outputs[1].dense(state_shape()) : Tensor();
    if (grad_h_n.defined()) call.grad_h_n = grad_h_n.data<T>();
    if (needs(0)) {
      gradients[0].value = Tensor::empty(x.shape(), dtype);
      call.grad_input = gradients[0].value.template data<T>();
      call.grad_input_step = strides_of(gradients[0].value, batch_first).step;
      call.grad_input_row = strides_of(gradients[0].value, batch_first).row;
    }
    if (needs(1)) {
      gradients[1].value = Tensor::empty(h_0.shape(), dtype);
      call.grad_h_0 = gradients[1].value.template data<T>();
    }
    kernels::backward(call);

    for (std::size_t l = 0; l < shape.layers; ++l) {
      const auto at = kernels::gradient_layout(shape, l);
      Gradient* of = &gradients[kFirstWeight + l * kWeightsPerLayer];
      const auto view = [&](const Tensor& like, std::size_t offset) {
        return make_view(blocks, like.shape(), static_cast<std::int64_t>(offset));
      };
      of[0].value =
          make_view(blocks, weights[l * kWeightsPerLayer].shape(),
                    {static_cast<std::int64_t>(at.ih_row), static_cast<std::int64_t>(at.ih_column)},
                    static_cast<std::int64_t>(at.weight_ih));
      of[1].value = view(weights[l * kWeightsPerLayer + 1], at.weight_hh);
      if (shape.bias) {
        of[2].value = view(weights[l * kWeightsPerLayer + 2], at.bias);
        of[3].value = of[2].value;
      }
    }
  }

  Shape state_shape() const {
    return {static_cast<std::int64_t>(shape.layers), static_cast<std::int64_t>(shape.batch),
            static_cast<std::int64_t>(shape.hidden)};
  }

  template <class T>
  kernels::RecurrentWeights<T> weights_of(std::size_t layer) const {
    const Tensor* w = &weights[layer * kWeightsPerLayer];
    return {w[0].data<T>(), w[1].data<T>(), shape.bias ? w[2].data<T>() : nullptr,
            shape.bias ? w[3].data<T>() : nullptr};
  }

  /// Points the call at the output's gradient, all of it or the one step it covers; returns what
  /// must stay alive.
  template <class T>
  Tensor set_output_gradient(const Gradient& gradient, kernels::RecurrentBackward<T>& call) const {
    if (!gradient.defined()) return {};
    const int time_dim = batch_first ? 1 : 0;
    if (gradient.part && gradient.part->dim == time_dim) {
      const Tensor step = gradient.value.contiguous();  // (N, H)
      call.grad_output = step.data<T>();
      call.grad_first = static_cast<std::size_t>(gradient.part->index);
      call.grad_count = 1;
      call.grad_row = step.stride(0);
      return step;
    }
    const std::int64_t batch = static_cast<std::int64_t>(shape.batch),
                       steps = static_cast<std::int64_t>(shape.steps),
                       hidden = static_cast<std::int64_t>(shape.hidden);
    const Tensor whole =
        gradient.dense(batch_first ? Shape{batch, steps, hidden} : Shape{steps, batch, hidden});
    call.grad_output = whole.data<T>();
    call.grad_first = 0;
    call.grad_count = shape.steps;
    call.grad_step = strides_of(whole, batch_first).step;
    call.grad_row = strides_of(whole, batch_first).row;
    return whole;
  }
};

}  // namespace

RnnResult Rnn::operator()(const Tensor& input, const Tensor& h_0) const {
  const DType dtype = layers_[0].weight_ih.dtype();
  if (input.rank() != 3 || input.size(2) != input_size_ || input.size(0) < 1 || input.size(1) < 1)
    throw ShapeError(
        "rnn", fmt::format("input has shape {}, expected [{}, {}]", input.shape().str(),
                           options_.batch_first ? "batch, steps" : "steps, batch", input_size_));
  if (input.dtype() != dtype)
    throw ShapeError("rnn", fmt::format("input is {}, the layer is {}; convert one with to()",
                                        name_of(input.dtype()), name_of(dtype)));
  const std::int64_t batch = input.size(options_.batch_first ? 0 : 1);
  const std::int64_t steps = input.size(options_.batch_first ? 1 : 0);
  const Shape state_shape{options_.num_layers, batch, hidden_size_};
  if (h_0.defined() && (h_0.shape() != state_shape || h_0.dtype() != dtype))
    throw ShapeError(
        "rnn", fmt::format("h_0 is {} of shape {}, expected {} of shape {}", name_of(h_0.dtype()),
                           h_0.shape().str(), name_of(dtype), state_shape.str()));
  const FloatEnvironment environment;
  auto node = make_pooled<RnnNode>();
  node->shape = {static_cast<std::size_t>(batch),
                 static_cast<std::size_t>(steps),
                 static_cast<std::size_t>(input_size_),
                 static_cast<std::size_t>(hidden_size_),
                 layers_.size(),
                 options_.bias,
                 options_.nonlinearity,
                 options_.precision == Precision::bf16};
  node->batch_first = options_.batch_first;
  node->x = input.detach();
  // The kernels want each row's features adjacent; rows and steps may lie anywhere.
  if (node->x.stride(2) != 1) node->x = node->x.contiguous();
  if (h_0.defined()) node->h_0 = h_0.detach().contiguous();
  const RecurrentPlan plan(node->shape);
  const auto row = static_cast<std::int64_t>(plan.row_stride);
  node->states = Tensor::empty({options_.num_layers, steps + 1, batch, row}, dtype);
  for (const Layer& layer : layers_)
    for (const Tensor* t : {&layer.weight_ih, &layer.weight_hh, &layer.bias_ih, &layer.bias_hh})
      node->weights.push_back(t->defined() ? t->detach() : Tensor());

  const Tensor packed = Tensor::empty({static_cast<std::int64_t>(plan.packed_size)}, dtype);
  dispatch("rnn", dtype, [&]<class T>(T*) {
    std::pmr::vector<kernels::RecurrentWeights<T>> pointers(current_workspace().get());
    for (std::size_t l = 0; l < layers_.size(); ++l)
      pointers.push_back(node->template weights_of<T>(l));
    kernels::pack(node->shape, pointers.data(), packed.data<T>());
    const SequenceStrides x = strides_of(node->x, options_.batch_first);
    kernels::forward(kernels::RecurrentForward<T>{
        node->shape, packed.data<T>(), node->x.template data<T>(), x.step, x.row,
        h_0.defined() ? node->h_0.template data<T>() : nullptr, node->states.template data<T>(),
        node->shape.steps + 1});
  });

  // Both results are views of the states: no copies.
  const std::int64_t plane = batch * row, layer = (steps + 1) * plane;
  Tensor output = make_view(node->states, {steps, batch, hidden_size_}, {plane, row, 1},
                            (options_.num_layers - 1) * layer + plane);
  if (options_.batch_first) output = output.transpose(0, 1);
  Tensor h_n = make_view(node->states, state_shape, {layer, row, 1}, steps * plane);

  std::pmr::vector<const Tensor*> inputs(current_workspace().get());
  inputs.push_back(&input);
  inputs.push_back(&h_0);
  for (const Layer& l : layers_)
    for (const Tensor* t : {&l.weight_ih, &l.weight_hh, &l.bias_ih, &l.bias_hh})
      inputs.push_back(t);
  if (autograd::recording(inputs)) {
    Tensor* const outputs[] = {&output, &h_n};
    autograd::record(node, inputs, outputs);
  }
  return {output, h_n};
}

Rnn::Rnn(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : input_size_(input_size), hidden_size_(hidden_size), options_(options) {
  initialise();
}

Rnn::Rnn(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
         const Options& options)
    : Module(place), input_size_(input_size), hidden_size_(hidden_size), options_(options) {
  initialise();
}

void Rnn::initialise() {
  if (input_size_ < 1 || hidden_size_ < 1 || options_.num_layers < 1)
    throw ValueError("rnn", fmt::format("input_size {}, hidden_size {}, num_layers {}; expected at "
                                        "least 1 each",
                                        input_size_, hidden_size_, options_.num_layers));
  if (options_.precision == Precision::bf16) {
    if (options_.dtype != DType::f32)
      throw ValueError("rnn", fmt::format("bf16 precision is asked for a layer of {}; it needs f32",
                                          name_of(options_.dtype)));
    if (!kernels::bf16_available())
      throw ValueError("rnn", fmt::format("bf16 precision needs AVX512_BF16, which {} here is "
                                          "without; use full precision",
                                          kernels::instruction_set()));
  }
  Generator& generator = options_.generator ? *options_.generator : default_generator();
  const double bound = 1.0 / std::sqrt(static_cast<double>(hidden_size_));
  for (std::int64_t l = 0; l < options_.num_layers; ++l) {
    const auto make = [&](const char* name, const Shape& shape, int gates) {
      const Tensor values = Tensor::empty(shape, options_.dtype);
      init::uniform(values, -bound, bound, generator);
      return add_parameter(fmt::format("{}_l{}", name, l), values, gates);
    };
    Layer layer;
    layer.weight_ih = make("weight_ih", {hidden_size_, l == 0 ? input_size_ : hidden_size_}, 1);
    layer.weight_hh = make("weight_hh", {hidden_size_, hidden_size_}, 1);
    if (options_.bias) {
      layer.bias_ih = make("bias_ih", {hidden_size_}, 0);
      layer.bias_hh = make("bias_hh", {hidden_size_}, 0);
    }
    layers_.push_back(layer);
  }
}

}  // namespace unroll::nn
