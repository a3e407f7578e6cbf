// The tape: one node for each recorded operation.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <vector>

#include "tensor/tensor_impl.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/tensor/tensor.h"

namespace unroll::autograd {

/// dL/dx of a tensor x. An undefined value means zeros, but costs nothing. With a part, `value` is
/// the gradient of x.select(dim, index), and the rest of the gradient is zero.
struct Gradient {
  struct Part {
    int dim;
    std::int64_t index;
    friend bool operator==(const Part&, const Part&) = default;
  };
  Tensor value;
  std::optional<Part> part;

  bool defined() const { return value.defined(); }
  /// The gradient of all of x, contiguous, for operations that make no use of parts. x has shape
  /// `whole`. The value must be defined.
  Tensor dense(const Shape& whole) const;
};

/// A recorded operation: the tensors that get its gradients, and the computation of these. Derived
/// nodes keep the values of the forward pass that they need.
class Node {
  // first, so that it outlives the vectors below
  std::shared_ptr<Workspace> workspace_ = current_workspace();

 public:
  virtual ~Node();
  /// Computes `inputs` from `outputs`. `inputs` has one gradient for each recorded input, in order;
  /// an unneeded one stays undefined. `outputs` has one for each output; it is undefined if nothing
  /// depends on that output.
  virtual void backward(std::span<const Gradient> outputs, std::span<Gradient> inputs) = 0;

  /// Whether this input needs a gradient.
  bool needs(std::size_t input) const { return inputs[input].requires_grad(); }

  std::uint64_t id = 0;  // increasing: an operation comes after the ones it depends on
  std::pmr::vector<Tensor> inputs{current_workspace().get()};
  std::pmr::vector<Gradient> output_gradients{current_workspace().get()};
  bool released = false, queued = false;

 private:
  std::shared_ptr<Node> next_to_destroy_;  // see ~Node
};

/// Whether an operation on these inputs must be recorded.
bool recording(std::span<const Tensor* const> inputs);

/// Puts an operation on the tape. The outputs then require a gradient. Undefined inputs are allowed
/// and get no gradient.
void record(const std::shared_ptr<Node>& node, std::span<const Tensor* const> inputs,
            std::span<Tensor* const> outputs);

template <class... Tensors>
bool recording(const Tensor& first, const Tensors&... rest) {
  const Tensor* const all[] = {&first, &rest...};
  return recording(std::span(all));
}

/// record() for one output.
template <class... Tensors>
void record(const std::shared_ptr<Node>& node, Tensor& output, const Tensors&... inputs) {
  const Tensor* const all[] = {&inputs...};
  Tensor* const outputs[] = {&output};
  record(node, std::span(all), std::span(outputs));
}

/// The node of an operation with one output whose backward is a function
/// f(const Gradient& output, std::span<Gradient> inputs) that owns what it saved.
template <class F>
class FunctionNode : public Node {
 public:
  explicit FunctionNode(F f) : f_(std::move(f)) {}
  void backward(std::span<const Gradient> outputs, std::span<Gradient> inputs_of) override {
    f_(outputs[0], inputs_of);
  }

 private:
  F f_;
};

/// Records `output` as the result of `inputs` with this backward function, if any input needs a
/// gradient.
template <class F, class... Tensors>
Tensor with_backward(Tensor output, F backward, const Tensors&... inputs) {
  if (recording(inputs...))
    record(make_pooled<FunctionNode<F>>(std::move(backward)), output, inputs...);
  return output;
}

}  // namespace unroll::autograd
