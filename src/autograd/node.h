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

/// dL/dx of one tensor x. An undefined value means that there is none, which is cheaper than zeros
/// and treated as zeros. With a part it is that of x.select(dim, index) alone, zero elsewhere.
struct Gradient {
  struct Part {
    int dim;
    std::int64_t index;
    friend bool operator==(const Part&, const Part&) = default;
  };
  Tensor value;
  std::optional<Part> part;

  bool defined() const { return value.defined(); }
  /// The gradient of all of x, contiguous; x has shape `whole`. For operations without a use for
  /// parts. Call on a defined one.
  Tensor dense(const Shape& whole) const;
};

/// An operation that was recorded: which tensors its gradients go to, and how to compute them.
/// Derived nodes keep what they need of the forward pass.
class Node {
  std::shared_ptr<Workspace> workspace_ = current_workspace();  // first: outlives the vectors below

 public:
  virtual ~Node();
  /// Fills `inputs` (one for each recorded input, in order; leave undefined what does not apply)
  /// from `outputs` (one for each output; those that nothing depends on are undefined).
  virtual void backward(std::span<const Gradient> outputs, std::span<Gradient> inputs) = 0;

  /// Whether the i-th input wants a gradient at all.
  bool needs(std::size_t input) const { return inputs[input].requires_grad(); }

  std::uint64_t id = 0;  // increasing: an operation comes after what it depends on
  std::pmr::vector<Tensor> inputs{current_workspace().get()};
  std::pmr::vector<Gradient> output_gradients{current_workspace().get()};
  bool released = false, queued = false;

 private:
  std::shared_ptr<Node> next_to_destroy_;  // see ~Node
};

/// Whether an operation on these inputs is to be recorded.
bool recording(std::span<const Tensor* const> inputs);

/// Puts an operation on the tape: its inputs, and its outputs, which then require a gradient.
/// Undefined inputs are allowed and get no gradient.
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

/// Records `output` as made from `inputs` with this backward, where anything wants a gradient.
template <class F, class... Tensors>
Tensor with_backward(Tensor output, F backward, const Tensors&... inputs) {
  if (recording(inputs...))
    record(make_pooled<FunctionNode<F>>(std::move(backward)), output, inputs...);
  return output;
}

}  // namespace unroll::autograd
