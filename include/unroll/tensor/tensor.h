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
UNROLL_API std::size_t size_of(DType dtype);       ///< bytes an element

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
/// never the numbers; clone() copies those.
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
  /// A copy of `values`, row by row; as many as the shape has.
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape);
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const;
  int rank() const { return shape().rank(); }
  std::int64_t size(int dim) const;
  std::int64_t stride(int dim) const;  ///< elements between neighbours in a dimension
  std::int64_t numel() const { return shape().numel(); }
  DType dtype() const;
  bool is_contiguous() const;

  /// The first element; T must be the tensor's type. Elements lie as the strides say.
  template <class T>
  T* data() const;
  /// The elements of a contiguous tensor, row by row.
  template <class T>
  std::span<T> values() const;
  /// The only element, as a double. Throws ShapeError where there is not exactly one.
  double item() const;
  /// A copy of all elements as doubles, row by row.
  std::vector<double> to_vector() const;

  // Views: no numbers are copied; gradients flow through.
  Tensor view(const Shape& shape) const;  ///< other sizes, one of which may be -1; needs contiguity
  Tensor select(int dim, std::int64_t index) const;  ///< one slice, without that dimension
  Tensor transpose(int dim0, int dim1) const;

  // Copies; gradients flow through contiguous().
  Tensor contiguous() const;     ///< itself where it already is
  Tensor clone() const;          ///< a copy without history
  Tensor to(DType dtype) const;  ///< a converted copy without history; itself if it has that type

  // Differentiation.
  bool requires_grad() const;
  /// For a leaf (a tensor that no operation made). Returns itself.
  Tensor& set_requires_grad(bool value);
  /// The gradient that backward() left here; undefined where there is none (which is not zeros).
  Tensor grad() const;
  /// Forgets the gradient.
  void clear_grad();
  /// Adds d(this)/d(leaf) to the gradient of every leaf that this depends on; `gradient` (ones for
  /// a single number) weighs the elements of this. What was recorded is released: call it once.
  void backward(const Tensor& gradient = {}) const;
  Tensor detach() const;  ///< the same numbers without history

  const std::shared_ptr<TensorImpl>& impl() const { return impl_; }

 private:
  std::shared_ptr<TensorImpl> impl_;
};

}  // namespace unroll
