#include "autograd/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include "core/float_environment.h"
#include "unroll/core/error.h"

namespace unroll {
namespace {
thread_local bool recording_enabled = true;
// shared by all threads, because a tensor may move between them
std::atomic<std::uint64_t> next_id = 1;
}  // namespace

NoGrad::NoGrad() : before_(recording_enabled) { recording_enabled = false; }
NoGrad::~NoGrad() { recording_enabled = before_; }
bool grad_enabled() { return recording_enabled; }

namespace autograd {

Node::~Node() {
  // Destroys a long chain of operations in a loop. Recursion, with a level for each operation,
  // could overflow the stack. The nodes themselves form the list of remaining nodes, because a
  // destructor must not allocate memory.
  std::shared_ptr<Node> first;
  const auto take_apart = [&first](Node& of) {
    for (Tensor& tensor : of.inputs) {
      if (!tensor.defined() || tensor.impl().use_count() != 1) continue;
      std::shared_ptr<Node>& node = tensor.impl()->node;
      if (!node || node.use_count() != 1) continue;
      node->next_to_destroy_ = std::move(first);
      first = std::move(node);
    }
    of.inputs.clear();
  };
  take_apart(*this);
  while (first) {
    const std::shared_ptr<Node> node = std::move(first);
    first = std::move(node->next_to_destroy_);
    take_apart(*node);
  }
}

Tensor Gradient::dense(const Shape& whole) const {
  if (!part) return value.contiguous();
  Tensor all = Tensor::zeros(whole, value.dtype());
  copy_into(all.select(part->dim, part->index), value);
  return all;
}

bool recording(std::span<const Tensor* const> inputs) {
  return recording_enabled && std::ranges::any_of(inputs, [](const Tensor* t) {
           return t->defined() && t->requires_grad();
         });
}

void record(const std::shared_ptr<Node>& node, std::span<const Tensor* const> inputs,
            std::span<Tensor* const> outputs) {
  node->id = next_id++;
  node->inputs.reserve(inputs.size());
  for (const Tensor* input : inputs) node->inputs.push_back(*input);
  node->output_gradients.resize(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    TensorImpl& impl = *outputs[i]->impl();
    impl.requires_grad = true;
    impl.node = node;
    impl.output_index = static_cast<int>(i);
  }
}

namespace {

/// a += b. The sum stays a part if both have the same part.
void accumulate(Gradient& a, Gradient b, const Shape& whole) {
  if (!a.defined()) {
    a = std::move(b);
    return;
  }
  if (a.part == b.part) {
    // The value may be shared with another gradient, so the sum gets its own memory.
    Tensor total = a.value.clone();
    add_into(total, b.value);
    a.value = total;
    return;
  }
  Tensor total = a.part ? a.dense(whole) : a.value.clone();
  add_into(b.part ? total.select(b.part->dim, b.part->index) : total, b.value);
  a = {total, std::nullopt};
}

void accumulate_in_leaf(TensorImpl& leaf, const Gradient& gradient) {
  if (!leaf.grad.defined()) leaf.grad = Tensor::empty(leaf.shape, leaf.dtype);
  Tensor to =
      gradient.part ? leaf.grad.select(gradient.part->dim, gradient.part->index) : leaf.grad;
  if (leaf.has_grad) {
    add_into(to, gradient.value);
    return;
  }
  if (gradient.part) copy_into(leaf.grad, Tensor::zeros(leaf.shape, leaf.dtype));
  copy_into(to, gradient.value);
  leaf.has_grad = true;
}

/// Nodes in the order of the tape, newest first.
class Queue {
 public:
  Queue() = default;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  /// After an error some nodes are left. Cleans them for their next backward pass.
  ~Queue() {
    for (const auto& node : heap_) {
      node->queued = false;
      std::ranges::fill(node->output_gradients, Gradient{});
    }
  }
  void push(const std::shared_ptr<Node>& node) {
    if (node->queued) return;
    node->queued = true;
    heap_.push_back(node);
    std::ranges::push_heap(heap_, by_id);
  }
  std::shared_ptr<Node> pop() {
    std::ranges::pop_heap(heap_, by_id);
    auto node = std::move(heap_.back());
    heap_.pop_back();
    node->queued = false;
    return node;
  }
  bool empty() const { return heap_.empty(); }

 private:
  static bool by_id(const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) {
    return a->id < b->id;
  }
  std::pmr::vector<std::shared_ptr<Node>> heap_{current_workspace().get()};
};

/// Finds a layer that was made without child(). Among the parameters that get a gradient some
/// belong to a model, and one was never listed. That one was made after the model and before the
/// model first listed its parameters, as members are.
class LeftOut {
 public:
  void see(const TensorImpl& leaf) {
    const Listing& l = leaf.listing;
    if (l.made > 0 && !l.listed && made_ == 0) made_ = l.made, shape_ = leaf.shape;
    if (l.model_made > 0) model_made_ = std::min(model_made_, l.model_made);
    model_listed_ = std::max(model_listed_, l.model_listed);
  }
  void check() const {
    if (made_ < model_made_ || made_ > model_listed_) return;
    throw ValueError(
        "backward",
        fmt::format("the loss depends on a layer that is not part of the model: parameters() does "
                    "not list its parameter of shape {}. Make the layer with child(\"name\"); or, "
                    "to leave it untrained, call it under NoGrad",
                    shape_.str()));
  }

 private:
  std::uint64_t made_ = 0;  // time of the parameter that was never listed
  Shape shape_;
  std::uint64_t model_made_ = std::numeric_limits<std::uint64_t>::max(), model_listed_ = 0;
};

void deliver(const Tensor& tensor, Gradient gradient, Queue& queue, LeftOut& left_out) {
  TensorImpl& impl = *tensor.impl();
  if (!impl.node) {
    left_out.see(impl);
    accumulate_in_leaf(impl, gradient);
    return;
  }
  if (impl.node->released)
    throw Error("backward",
                "backward() was called on part of this result before, which released its recorded "
                "operations; compute it again, or call backward() once on the sum");
  Gradient& slot = impl.node->output_gradients[static_cast<std::size_t>(impl.output_index)];
  accumulate(slot, std::move(gradient), impl.shape);
  queue.push(impl.node);
}

}  // namespace
}  // namespace autograd

void Tensor::backward(const Tensor& gradient) const {
  if (!requires_grad())
    throw Error("backward",
                "no tensor that this result depends on requires a gradient; call "
                "set_requires_grad(true) on one");
  if (!gradient.defined() && numel() != 1)
    throw ShapeError("backward",
                     fmt::format("a tensor of shape {} has {} elements; give a gradient "
                                 "of that shape, or reduce it to one number first",
                                 shape().str(), numel()));
  if (gradient.defined() && (gradient.shape() != shape() || gradient.dtype() != dtype()))
    throw ShapeError(
        "backward", fmt::format("the gradient is {} of shape {}, expected {} of shape {}",
                                name_of(gradient.dtype()), gradient.shape().str(), name_of(dtype()),
                                shape().str()));
  const NoGrad no_grad;
  const FloatEnvironment environment;
  autograd::Queue queue;
  autograd::LeftOut left_out;
  autograd::deliver(*this, {gradient.defined() ? gradient : full(shape(), 1, dtype()), {}}, queue,
                    left_out);
  std::pmr::vector<autograd::Gradient> gradients(current_workspace().get());
  while (!queue.empty()) {
    const auto node = queue.pop();
    gradients.assign(node->inputs.size(), {});
    node->released = true;
    node->backward(node->output_gradients, gradients);
    for (std::size_t i = 0; i < gradients.size(); ++i)
      if (gradients[i].defined() && node->needs(i))
        autograd::deliver(node->inputs[i], std::move(gradients[i]), queue, left_out);
    node->inputs.clear();
    node->output_gradients.clear();
  }
  left_out.check();
}

bool Tensor::requires_grad() const { return defined() && impl_->requires_grad; }

Tensor& Tensor::set_requires_grad(bool value) {
  if (dtype() == DType::i64) refuse_dtype("requires_grad", dtype());
  if (impl_->node)
    throw Error("requires_grad",
                "this tensor is the result of an operation, expected a leaf; detach() it first");
  impl_->requires_grad = value;
  return *this;
}

Tensor Tensor::grad() const { return defined() && impl_->has_grad ? impl_->grad : Tensor(); }

void Tensor::clear_grad() {
  if (defined()) impl_->has_grad = false;
}

}  // namespace unroll
