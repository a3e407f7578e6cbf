// Tensors: shaped views of shared memory that remember how they were computed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "unroll/core/api.h"
#include "unroll/tensor/shape.h"

namespace unroll {

/// Element types: two floating-point ones, and integers for class labels.
enum class DType { f32, f64, i64 };

UNROLL_API std::string_view name_of(DType dtype);  ///< "f32", "f64", "i64"
UNROLL_API std::size_t size_of(DType dtype);       ///< bytes per element

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::i64;
};

struct TensorImpl;

/// A view of shared memory: a shape, strides and an element type. Copying a Tensor copies the view,
/// not the numbers. clone() copies the numbers.
///
/// Operations on tensors that require a gradient are recorded, and backward() differentiates them.
/// Every mismatch of shape or type throws ShapeError. A negative dimension or index counts from the
/// end. Source: https://pytorch.org/docs/stable/tensors.html
class UNROLL_API Tensor {
 public:
  Tensor() = default;  ///< undefined: no memory, no shape
  explicit Tensor(std::shared_ptr<TensorImpl> impl) : impl_(std::move(impl)) {}

  static Tensor empty(const Shape& shape, DType dtype = DType::f32);  ///< not initialised
  static Tensor zeros(const Shape& shape, DType dtype = DType::f32);
  static Tensor full(const Shape& shape, double value, DType dtype = DType::f32);
  /// A copy of `values` in row-major order. Throws ShapeError unless there are shape.numel()
  /// values.
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape);
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }

  /// A view of `values`, memory of another library, in row-major order; nothing is copied. `owner`
  /// keeps the memory: its deleter runs when the last view is gone, on the thread of that view.
  /// Throws ShapeError unless there are shape.numel() values.
  template <class T>
  static Tensor around(std::span<T> values, const Shape& shape, std::shared_ptr<void> owner);

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const;
  int rank() const { return shape().rank(); }
  std::int64_t size(int dim) const;
  std::int64_t stride(int dim) const;  ///< in elements
  std::int64_t numel() const { return shape().numel(); }
  DType dtype() const;
  bool is_contiguous() const;

  /// Pointer to the first element; the strides give the place of the others. T must be the tensor's
  /// type.
  template <class T>
  T* data() const;
  /// The elements of a contiguous tensor in row-major order.
  template <class T>
  std::span<T> values() const;
  /// The only element, as a double. Throws ShapeError unless there is exactly one.
  double item() const;
  /// A copy of all elements as doubles, in row-major order.
  std::vector<double> to_vector() const;

  // Views. They copy no numbers, and gradients flow through them.
  Tensor view(const Shape& shape) const;  ///< one size may be -1: computed; contiguous only
  Tensor select(int dim, std::int64_t index) const;  ///< one slice, without that dimension
  Tensor transpose(int dim0, int dim1) const;

  // Copies. Gradients flow through contiguous() only.
  Tensor contiguous() const;  ///< this tensor if it is contiguous
  Tensor clone() const;       ///< a copy without history
  /// a converted copy without history; this tensor if it has that type
  Tensor to(DType dtype) const;

  // Differentiation.
  bool requires_grad() const;
  /// Only for a leaf: a tensor that no operation made. Returns this tensor.
  Tensor& set_requires_grad(bool value);
  /// The gradient that backward() left here. Undefined if there is none, which is not the same as
  /// zeros.
  Tensor grad() const;
  /// Removes the gradient.
  void clear_grad();
  /// Adds d(this)/d(leaf) to the gradient of every leaf that this tensor depends on. `gradient`
  /// holds a weight for each element of this tensor; a single number needs none (1). Releases the
  /// recorded operations: call it once.
  void backward(const Tensor& gradient = {}) const;
  Tensor detach() const;  ///< the same numbers without history

  const std::shared_ptr<TensorImpl>& impl() const { return impl_; }

 private:
  std::shared_ptr<TensorImpl> impl_;
};

}  // namespace unroll
