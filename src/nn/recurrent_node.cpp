#include "nn/recurrent_node.h"

#include "autograd/node.h"
#include "core/float_environment.h"
#include "nn/sequence_rows.h"
#include "unroll/autograd/ops.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;
using kernels::RecurrentPlan;
using kernels::RecurrentShape;

/// Inputs of the node: x, the initial states, then the weights of every layer and direction.
/// Outputs: the output of the stack, then the final states.
constexpr std::size_t kInput = 0, kH0 = 1, kC0 = 2, kFirstWeight = 3;
constexpr std::size_t kOutput = 0, kHn = 1, kCn = 2;

std::int64_t size(std::size_t n) { return static_cast<std::int64_t>(n); }

/// The gradient of K steps of a layer's output, (K, N, D P), from step `first` on.
struct Steps {
  Tensor value;
  std::size_t first = 0;
};

template <class T>
T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

struct StackNode : autograd::Node {
  StackCall call;
  Tensor x, h_0, c_0;  // without history; x (T, N, I) with adjacent features
  // Of every layer.
  std::pmr::vector<Tensor> layer_inputs{current_workspace().get()};  // (T, N, I or D P)
  std::pmr::vector<Tensor> states{current_workspace().get()};        // (T, N, R)
  // Of every layer and direction.
  std::pmr::vector<PerRole<Tensor>> weights{current_workspace().get()};  // no history
  std::pmr::vector<Tensor> packed{current_workspace().get()};            // with layer normalisation
  std::pmr::vector<Tensor> saved{current_workspace().get()};

  std::size_t width() const { return call.directions * call.shape.output(); }  // D P
  std::size_t index(std::size_t layer, std::size_t direction) const {
    return layer * call.directions + direction;
  }

  RecurrentShape shape_of(std::size_t layer, std::size_t direction) const {
    const LayerFactors& factors = call.factors[index(layer, direction)];
    RecurrentShape shape = call.shape;
    if (layer > 0) shape.input = width();
    shape.reverse = direction == 1;
    shape.zoneout = factors.zone_h.defined() || factors.zone_c.defined() || call.zone_h_rate > 0 ||
                    call.zone_c_rate > 0;
    shape.state_dropout = factors.state.defined();
    shape.lengths = call.lengths.empty() ? nullptr : call.lengths.data();
    return shape;
  }

  template <class T>
  kernels::RecurrentWeights<T> weights_of(std::size_t at) const {
    kernels::RecurrentWeights<T> data;
    for (const WeightRole role : all_weight_roles)
      if (const Tensor& weight = weights[at][role]; weight.defined())
        data[role] = raw_data<T>(weight);
    return data;
  }

  template <class T>
  kernels::RecurrentMasks<T> masks_of(std::size_t at) const {
    const LayerFactors& factors = call.factors[at];
    return {data_or_null<T>(factors.state),       sequence_of<const T>(factors.candidate),
            sequence_of<const T>(factors.zone_h), sequence_of<const T>(factors.zone_c),
            static_cast<T>(call.zone_h_rate),     static_cast<T>(call.zone_c_rate)};
  }

  /// The columns of one direction in the states of a layer.
  template <class T>
  kernels::Sequence<T> columns_of(const Tensor& sequence, std::size_t direction) const {
    auto columns = sequence_of<T>(sequence);
    columns.data += direction * call.shape.output();
    return columns;
  }

  /// Pointer to row (layer, direction) of a tensor of states; null if undefined.
  template <class T>
  static T* state_row(const Tensor& state_tensor, std::size_t at) {
    if (!state_tensor.defined()) return nullptr;
    return raw_data<std::remove_const_t<T>>(state_tensor) +
           static_cast<std::ptrdiff_t>(at) * state_tensor.stride(0);
  }

  template <class T>
  void forward(const StackResult& result, bool for_backward, PackedWeights& kept);

  void backward(std::span<const Gradient> outputs, std::span<Gradient> gradients) override {
    dispatch("recurrent", x.dtype(), [&]<class T>(T*) { run<T>(outputs, gradients); });
  }

  template <class T>
  void run(std::span<const Gradient> outputs, std::span<Gradient> gradients);
  template <class T>
  void run_direction(std::size_t layer, std::size_t direction, const Steps& grad_output,
                     kernels::RecurrentBackward<T>& backward, std::span<Gradient> gradients);
  void set_weight_gradients(std::size_t at, const RecurrentShape& shape, const Tensor& blocks,
                            std::span<Gradient> gradients) const;
  Steps steps_of(const Gradient& gradient) const;
};

/// The layer's input times its factors; the input itself if there are none.
template <class T>
Tensor multiplied(const Tensor& input, const Tensor& factors) {
  if (!factors.defined()) return input;
  const Tensor product = input.clone();
  combine_rows<T>(product, factors, [](T a, T b) { return a * b; });
  return product;
}

template <class T>
void StackNode::forward(const StackResult& result, bool for_backward, PackedWeights& kept) {
  const auto steps = size(call.shape.steps), batch = size(call.shape.batch);
  const auto row = size(kernels::padded_row(width()));
  for (std::size_t l = 0; l < call.layers; ++l) {
    const Tensor below =
        l == 0 ? x
               : make_view(states[l - 1], {steps, batch, size(width())}, {batch * row, row, 1}, 0);
    layer_inputs.push_back(multiplied<T>(below, call.factors[index(l, 0)].input));
    states.push_back(Tensor::empty({steps, batch, row}, x.dtype()));
    for (std::size_t d = 0; d < call.directions; ++d) {
      const std::size_t at = index(l, d);
      const RecurrentShape shape = shape_of(l, d);
      const RecurrentPlan plan(shape);
      const auto versions = PackedWeights::versions_of(weights[at]);
      Tensor pack = kept.find(at, versions);
      if (!pack.defined()) {
        pack = Tensor::empty({size(plan.packed_size)}, x.dtype());
        kernels::pack(shape, weights_of<T>(at), pack.data<T>());
        kept.keep(at, versions, pack);
      }
      const Tensor keep = Tensor::empty({size(plan.saved_size(shape, shape.steps))}, x.dtype());
      kernels::RecurrentForward<T> pass;
      pass.shape = shape;
      pass.packed = pack.data<T>();
      pass.input = sequence_of<const T>(layer_inputs[l]);
      pass.h_0 = state_row<const T>(h_0, at);
      pass.c_0 = state_row<const T>(c_0, at);
      pass.output = columns_of<T>(states[l], d);
      pass.saved = keep.data<T>();
      pass.slots = shape.steps;
      pass.h_n = state_row<T>(result.h_n, at);
      pass.c_n = state_row<T>(result.c_n, at);
      pass.masks = masks_of<T>(at);
      kernels::forward(pass);
      saved.push_back(for_backward ? keep : Tensor());
      packed.push_back(for_backward && shape.layer_norm ? pack : Tensor());
    }
  }
}

/// The gradient of a single step is used as such, without zeros for the other steps.
Steps StackNode::steps_of(const Gradient& gradient) const {
  const auto batch = size(call.shape.batch), steps = size(call.shape.steps);
  if (!gradient.defined()) return {};
  if (gradient.part && gradient.part->dim == (call.batch_first ? 1 : 0)) {
    const Tensor step = gradient.value.contiguous();  // (N, D P)
    return {make_view(step, {1, batch, step.size(1)}, 0),
            static_cast<std::size_t>(gradient.part->index)};
  }
  if (call.batch_first) return {gradient.dense({batch, steps, size(width())}).transpose(0, 1), 0};
  return {gradient.dense({steps, batch, size(width())}), 0};
}

/// The gradient of final states, (L D, N, ·), or of one row of them.
struct StateGradient {
  Tensor value;
  std::ptrdiff_t only = -1;

  StateGradient(const Gradient& gradient, const Shape& shape) {
    if (!gradient.defined()) return;
    if (gradient.part && gradient.part->dim == 0) only = gradient.part->index;
    value = only >= 0 ? gradient.value.contiguous() : gradient.dense(shape);
  }
  template <class T>
  const T* row(std::size_t at) const {
    if (only < 0) return StackNode::state_row<const T>(value, at);
    return static_cast<std::ptrdiff_t>(at) == only ? value.data<T>() : nullptr;
  }
};

template <class T>
void StackNode::run(std::span<const Gradient> outputs, std::span<Gradient> gradients) {
  const auto batch = size(call.shape.batch), steps = size(call.shape.steps);
  const auto rows = size(call.layers * call.directions);
  const Shape h_shape{rows, batch, size(call.shape.output())};
  const Shape c_shape{rows, batch, size(call.shape.hidden)};
  const bool memory = outputs.size() > kCn;
  const StateGradient grad_h_n(outputs[kHn], h_shape);
  const StateGradient grad_c_n(memory ? outputs[kCn] : Gradient{}, c_shape);
  if (needs(kH0)) gradients[kH0].value = Tensor::empty(h_shape, x.dtype());
  if (needs(kC0)) gradients[kC0].value = Tensor::empty(c_shape, x.dtype());
  // Zeros, because nothing is written past the end of a sequence.
  const auto make = call.lengths.empty() ? &Tensor::empty : &Tensor::zeros;

  Steps grad_output = steps_of(outputs[kOutput]);
  for (std::size_t l = call.layers; l-- > 0;) {
    Tensor grad_input;
    if (l > 0) {
      grad_input = make({steps, batch, size(width())}, x.dtype());
    } else if (needs(kInput)) {
      const Tensor whole = make(inputs[kInput].shape(), x.dtype());
      gradients[kInput].value = whole;
      grad_input = call.batch_first ? whole.transpose(0, 1) : whole;
    }
    for (std::size_t d = 0; d < call.directions; ++d) {
      const std::size_t at = index(l, d);
      const Tensor own =
          d == 0 || !grad_input.defined() ? grad_input : make(grad_input.shape(), x.dtype());
      kernels::RecurrentBackward<T> pass;
      pass.grad_h_n = grad_h_n.row<T>(at);
      pass.grad_c_n = grad_c_n.row<T>(at);
      pass.grad_input = sequence_of<T>(own);
      pass.grad_h_0 = state_row<T>(gradients[kH0].value, at);
      pass.grad_c_0 = state_row<T>(gradients[kC0].value, at);
      run_direction(l, d, grad_output, pass, gradients);
      if (d == 1 && own.defined()) combine_rows<T>(grad_input, own, [](T a, T b) { return a + b; });
    }
    const Tensor& factors = call.factors[index(l, 0)].input;
    if (grad_input.defined() && factors.defined())
      combine_rows<T>(grad_input, factors, [](T a, T b) { return a * b; });
    grad_output = {grad_input, 0};
  }
}

/// Backward pass of one layer in one direction. `pass` holds the places for the gradients of states
/// and input.
template <class T>
void StackNode::run_direction(std::size_t layer, std::size_t direction, const Steps& grad_output,
                              kernels::RecurrentBackward<T>& pass, std::span<Gradient> gradients) {
  const std::size_t at = index(layer, direction);
  const RecurrentShape shape = shape_of(layer, direction);
  const RecurrentPlan plan(shape);
  const Tensor blocks =
      Tensor::empty({size(plan.gradient_blocks), size(plan.gradient_size)}, x.dtype());
  const Tensor scratch = Tensor::empty({size(plan.backward_scratch)}, x.dtype());
  pass.shape = shape;
  pass.weights = weights_of<T>(at);
  pass.input = sequence_of<const T>(layer_inputs[layer]);
  pass.h_0 = state_row<const T>(h_0, at);
  pass.c_0 = state_row<const T>(c_0, at);
  pass.output = columns_of<const T>(states[layer], direction);
  pass.saved = saved[at].data<T>();
  pass.masks = masks_of<T>(at);
  pass.packed = data_or_null<T>(packed[at]);
  pass.weight_hh_factors = data_or_null<T>(call.factors[at].weight_hh);
  if (grad_output.value.defined()) {
    pass.grad_output = columns_of<const T>(grad_output.value, direction);
    pass.grad_first = grad_output.first;
    pass.grad_count = static_cast<std::size_t>(grad_output.value.size(0));
  }
  pass.gradients = blocks.data<T>();
  pass.scratch = scratch.data<T>();
  kernels::backward(pass);
  set_weight_gradients(at, shape, blocks, gradients);
}

/// Sets the gradients of the weights: views of the first block.
void StackNode::set_weight_gradients(std::size_t at, const RecurrentShape& shape,
                                     const Tensor& blocks, std::span<Gradient> gradients) const {
  const kernels::GradientLayout layout(shape);
  const auto of = [&](WeightRole role) -> Tensor& {
    return gradients[kFirstWeight + at * weight_roles + static_cast<std::size_t>(role)].value;
  };
  for (const WeightRole role : all_weight_roles)
    if (const Tensor& like = weights[at][role]; like.defined())
      of(role) =
          role == WeightRole::weight_ih
              ? make_view(blocks, like.shape(), {size(layout.ih_row), size(layout.ih_column)},
                          size(layout.place[role]))
              : make_view(blocks, like.shape(), size(layout.place[role]));
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
  const RecurrentShape& shape = node->call.shape;
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

  const std::int64_t rows = size(node->call.layers * node->call.directions);
  StackResult result;
  result.h_n = Tensor::empty({rows, size(shape.batch), size(shape.output())}, input.dtype());
  if (shape.traits().memory)
    result.c_n = Tensor::empty({rows, size(shape.batch), size(shape.hidden)}, input.dtype());
  dispatch("recurrent", input.dtype(),
           [&]<class T>(T*) { node->template forward<T>(result, recording, kept); });
  // The output is a view of the last layer's states, not a copy.
  const Tensor& states = node->states.back();
  result.output = make_view(states, {states.size(0), states.size(1), size(node->width())},
                            states.impl()->strides, 0);
  if (node->call.batch_first) result.output = result.output.transpose(0, 1);
  if (recording) {
    Tensor* const outputs[] = {&result.output, &result.h_n, &result.c_n};
    autograd::record(node, inputs, std::span(outputs).first(result.c_n.defined() ? 3 : 2));
  }
  return result;
}

}  // namespace unroll::nn
