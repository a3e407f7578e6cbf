#include "nn/recurrent_node.h"

#include "autograd/node.h"
#include "core/float_environment.h"
#include "kernels/stack.h"
#include "nn/sequence_rows.h"
#include "unroll/autograd/ops.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;
using kernels::RecurrentShape;

/// Inputs of the node: x, the initial states, then the weights of every layer and direction.
/// Outputs: the output of the stack, then the final states.
constexpr std::size_t kInput = 0, kH0 = 1, kC0 = 2, kFirstWeight = 3;
constexpr std::size_t kOutput = 0, kHn = 1, kCn = 2;

std::int64_t size(std::size_t n) { return static_cast<std::int64_t>(n); }

template <class T>
using List = std::pmr::vector<T>;

/// The gradient of K steps of the output, (K, N, D P), from step `first` on.
struct Steps {
  Tensor value;
  std::size_t first = 0;
};

template <class T>
T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}
template <class T>
T* raw_data_or_null(const Tensor& tensor) {
  return tensor.defined() ? raw_data<T>(tensor) : nullptr;
}

struct StackNode : autograd::Node {
  StackCall call;
  Tensor x, h_0, c_0;  // without history; x (T, N, I) with adjacent features
  Tensor states;       // (T, N, R): the output, in padded rows
  List<PerRole<Tensor>> weights{current_workspace().get()};  // (L D), without history
  std::shared_ptr<const void> packed;                        // kernels::PackedStack
  Tensor memory;                                             // kernels::StackCall::memory

  template <class T>
  List<kernels::RecurrentWeights<T>> weight_data() const {
    List<kernels::RecurrentWeights<T>> all(current_workspace().get());
    for (const PerRole<Tensor>& layer : weights)
      for (kernels::RecurrentWeights<T>& data = all.emplace_back();
           const WeightRole role : all_weight_roles)
        data[role] = raw_data_or_null<T>(layer[role]);
    return all;
  }

  template <class T>
  List<kernels::LayerFactors<T>> factor_data() const {
    List<kernels::LayerFactors<T>> all(current_workspace().get());
    for (const LayerFactors& factors : call.factors)
      all.push_back({sequence_of<const T>(factors.input),
                     {data_or_null<T>(factors.state), sequence_of<const T>(factors.candidate),
                      sequence_of<const T>(factors.zone_h), sequence_of<const T>(factors.zone_c)},
                     data_or_null<T>(factors.weight_hh)});
    return all;
  }

  template <class T>
  kernels::StackCall<T> kernel_call(std::span<const kernels::LayerFactors<T>> factors) const {
    kernels::StackCall<T> stack;
    stack.shape = call.shape;
    stack.shape.first.lengths = call.lengths.empty() ? nullptr : call.lengths.data();
    stack.packed = static_cast<const kernels::PackedStack<T>*>(packed.get());
    stack.input = sequence_of<const T>(x);
    stack.h_0 = raw_data_or_null<T>(h_0);
    stack.c_0 = raw_data_or_null<T>(c_0);
    stack.output = sequence_of<T>(states);
    stack.factors = factors;
    stack.zone_h_rate = static_cast<T>(call.zone_h_rate);
    stack.zone_c_rate = static_cast<T>(call.zone_c_rate);
    stack.memory = raw_data_or_null<T>(memory);
    return stack;
  }

  template <class T>
  void forward(const StackResult& result, bool for_backward, PackedWeights& kept);

  void backward(std::span<const Gradient> outputs, std::span<Gradient> gradients) override {
    dispatch("recurrent", x.dtype(), [&]<class T>(T*) { run<T>(outputs, gradients); });
  }

  template <class T>
  void run(std::span<const Gradient> outputs, std::span<Gradient> gradients);
  template <class T>
  List<PerRole<T*>> make_weight_gradients(std::span<Gradient> gradients) const;
  Steps steps_of(const Gradient& gradient) const;
};

template <class T>
void StackNode::forward(const StackResult& result, bool for_backward, PackedWeights& kept) {
  const RecurrentShape& shape = call.shape.first;
  const auto versions = PackedWeights::versions_of(weights);
  packed = kept.find(versions);
  if (!packed) {
    packed = make_pooled<kernels::PackedStack<T>>(call.shape, weight_data<T>(),
                                                  current_workspace().get());
    kept.keep(versions, packed);
  }
  states = Tensor::empty(
      {size(shape.steps), size(shape.batch), size(kernels::padded_row(call.shape.width()))},
      x.dtype());
  const auto factors = factor_data<T>();
  const auto keep = for_backward ? kernels::Keep::for_backward : kernels::Keep::nothing;
  kernels::StackCall<T> stack = kernel_call<T>(factors);
  memory = Tensor::empty({size(kernels::stack_memory(stack, keep))}, x.dtype());
  stack.memory = raw_data<T>(memory);
  stack.h_n = raw_data<T>(result.h_n);
  stack.c_n = raw_data_or_null<T>(result.c_n);
  kernels::forward(stack, keep);
  if (!shape.layer_norm) packed.reset();
}

/// The gradient of a single step is used as such, without zeros for the other steps.
Steps StackNode::steps_of(const Gradient& gradient) const {
  const auto batch = size(call.shape.first.batch), steps = size(call.shape.first.steps),
             width = size(call.shape.width());
  if (!gradient.defined()) return {};
  if (gradient.part && gradient.part->dim == (call.batch_first ? 1 : 0)) {
    const Tensor step = gradient.value.contiguous();  // (N, D P)
    return {make_view(step, {1, batch, step.size(1)}, 0),
            static_cast<std::size_t>(gradient.part->index)};
  }
  if (call.batch_first) return {gradient.dense({batch, steps, width}).transpose(0, 1), 0};
  return {gradient.dense({steps, batch, width}), 0};
}

/// The gradient of final states, (L D, N, ·), or of one row of them.
struct StateGradient {
  Tensor value;
  std::ptrdiff_t only = -1;

  StateGradient(const Gradient& gradient, const Shape& shape) {
    if (!gradient.defined()) return;
    if (gradient.part && gradient.part->dim == 0) only = gradient.part->index;
    value = (only >= 0 ? gradient.value : gradient.dense(shape)).contiguous();
  }
  /// For each layer and direction, or null.
  template <class T>
  List<const T*> rows(std::size_t count) const {
    List<const T*> all(value.defined() ? count : 0, nullptr, current_workspace().get());
    if (!value.defined()) return all;
    if (only >= 0)
      all[static_cast<std::size_t>(only)] = value.data<T>();
    else
      for (std::size_t at = 0; at < count; ++at)
        all[at] = value.data<T>() + static_cast<std::ptrdiff_t>(at) * value.stride(0);
    return all;
  }
};

template <class T>
void StackNode::run(std::span<const Gradient> outputs, std::span<Gradient> gradients) {
  const std::size_t count = call.shape.count();
  const auto batch = size(call.shape.first.batch), rows = size(count);
  const Shape h_shape{rows, batch, size(call.shape.first.output())};
  const Shape c_shape{rows, batch, size(call.shape.first.hidden)};
  const bool has_memory = outputs.size() > kCn;
  const StateGradient of_h_n(outputs[kHn], h_shape),
      of_c_n(has_memory ? outputs[kCn] : Gradient{}, c_shape);
  const auto grad_h_n = of_h_n.rows<T>(count), grad_c_n = of_c_n.rows<T>(count);
  const Steps grad_output = steps_of(outputs[kOutput]);
  Tensor grad_input;
  if (needs(kInput)) {
    gradients[kInput].value = Tensor::empty(inputs[kInput].shape(), x.dtype());
    grad_input =
        call.batch_first ? gradients[kInput].value.transpose(0, 1) : gradients[kInput].value;
  }
  if (needs(kH0)) gradients[kH0].value = Tensor::empty(h_shape, x.dtype());
  if (needs(kC0)) gradients[kC0].value = Tensor::empty(c_shape, x.dtype());
  const auto factors = factor_data<T>();
  const auto data = weight_data<T>();
  const auto of_weights = make_weight_gradients<T>(gradients);
  const kernels::StackCall<T> stack = kernel_call<T>(factors);
  const Tensor scratch = Tensor::empty({size(kernels::stack_backward_scratch(stack))}, x.dtype());

  kernels::StackGradients<T> pass;
  pass.weights = data;
  pass.output = sequence_of<const T>(grad_output.value);
  if (grad_output.value.defined()) {
    pass.grad_first = grad_output.first;
    pass.grad_count = static_cast<std::size_t>(grad_output.value.size(0));
  }
  pass.h_n = grad_h_n;
  pass.c_n = grad_c_n;
  pass.input = sequence_of<T>(grad_input);
  pass.h_0 = data_or_null<T>(gradients[kH0].value);
  pass.c_0 = data_or_null<T>(gradients[kC0].value);
  pass.of_weights = of_weights;
  pass.scratch = scratch.data<T>();
  kernels::backward(stack, pass);
}

/// Makes the gradients of the weights, and returns where they are.
template <class T>
List<PerRole<T*>> StackNode::make_weight_gradients(std::span<Gradient> gradients) const {
  List<PerRole<T*>> all(current_workspace().get());
  std::size_t input = kFirstWeight;
  for (const PerRole<Tensor>& layer : weights)
    for (PerRole<T*>& places = all.emplace_back(); const WeightRole role : all_weight_roles) {
      Tensor& gradient = gradients[input++].value;
      if (!layer[role].defined()) continue;
      gradient = Tensor::empty(layer[role].shape(), x.dtype());
      places[role] = gradient.data<T>();
    }
  return all;
}

}  // namespace

StackResult run_stack(StackCall&& call, std::span<const PerRole<Tensor>> weights,
                      const Tensor& input, const Tensor& h_0, const Tensor& c_0,
                      PackedWeights& kept) {
  const FloatEnvironment environment;
  std::pmr::vector<const Tensor*> inputs(current_workspace().get());
  inputs.push_back(&input);
  inputs.push_back(&h_0);
  inputs.push_back(&c_0);
  for (const PerRole<Tensor>& layer : weights)
    for (const Tensor& weight : layer) inputs.push_back(&weight);
  const bool recording = autograd::recording(inputs);

  auto node = make_pooled<StackNode>();
  node->call = std::move(call);
  const RecurrentShape& shape = node->call.shape.first;
  node->x = input.detach();
  if (node->call.batch_first) node->x = node->x.transpose(0, 1);
  // The kernels need adjacent features in each row. Rows and steps may have any stride.
  if (node->x.stride(2) != 1) node->x = node->x.contiguous();
  if (h_0.defined()) node->h_0 = h_0.detach().contiguous();
  if (c_0.defined()) node->c_0 = c_0.detach().contiguous();
  for (std::size_t at = 0; at < weights.size(); ++at) {
    PerRole<Tensor>& plain = node->weights.emplace_back();
    for (const WeightRole role : all_weight_roles)
      if (weights[at][role].defined()) plain[role] = weights[at][role].detach();
    if (const Tensor& factors = node->call.factors[at].weight_hh; factors.defined())
      plain[WeightRole::weight_hh] = plain[WeightRole::weight_hh] * factors;
  }

  const std::int64_t rows = size(node->call.shape.count());
  StackResult result;
  result.h_n = Tensor::empty({rows, size(shape.batch), size(shape.output())}, input.dtype());
  if (shape.traits().memory)
    result.c_n = Tensor::empty({rows, size(shape.batch), size(shape.hidden)}, input.dtype());
  dispatch("recurrent", input.dtype(),
           [&]<class T>(T*) { node->template forward<T>(result, recording, kept); });
  // The output is a view of the last layer's states, not a copy.
  const Tensor& states = node->states;
  result.output =
      make_view(states, {states.size(0), states.size(1), size(node->call.shape.width())},
                states.impl()->strides, 0);
  if (node->call.batch_first) result.output = result.output.transpose(0, 1);
  if (recording) {
    Tensor* const outputs[] = {&result.output, &result.h_n, &result.c_n};
    autograd::record(node, inputs, std::span(outputs).first(result.c_n.defined() ? 3 : 2));
  }
  return result;
}

}  // namespace unroll::nn
