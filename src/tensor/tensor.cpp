#include "unroll/tensor/tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/float_environment.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll {
namespace {

TensorImpl& checked(const Tensor& tensor) {
  if (!tensor.defined())
    throw ShapeError("tensor", "an undefined tensor was used; give it a value first");
  return *tensor.impl();
}

/// Calls f(offset_a, offset_b) for every element of a shape, row by row.
template <class F>
void for_each_element(const Shape& shape, const std::int64_t* strides_a,
                      const std::int64_t* strides_b, F&& f) {
  if (shape.numel() == 0) return;
  const int last = shape.rank() - 1;
  const std::int64_t columns = last >= 0 ? shape[last] : 1;
  const std::int64_t column_a = last >= 0 ? strides_a[last] : 0,
                     column_b = last >= 0 ? strides_b[last] : 0;
  std::array<std::int64_t, Shape::max_rank> index{};
  std::int64_t a = 0, b = 0;
  for (;;) {
    for (std::int64_t i = 0; i < columns; ++i) f(a + i * column_a, b + i * column_b);
    int dim = last - 1;
    for (; dim >= 0; --dim) {
      const auto d = static_cast<std::size_t>(dim);
      a += strides_a[d];
      b += strides_b[d];
      if (++index[d] < shape[dim]) break;
      a -= strides_a[d] * shape[dim];
      b -= strides_b[d] * shape[dim];
      index[d] = 0;
    }
    if (dim < 0) return;
  }
}

template <class T, class F>
void combine(const Tensor& to, const Tensor& from, F&& f) {
  T* out = raw_data<T>(to);
  const T* in = raw_data<T>(from);
  if (to.is_contiguous() && from.is_contiguous()) {
    for (std::int64_t i = 0, n = to.numel(); i < n; ++i) f(out[i], in[i]);
    return;
  }
  for_each_element(to.shape(), to.impl()->strides.data(), from.impl()->strides.data(),
                   [&](std::int64_t a, std::int64_t b) { f(out[a], in[b]); });
}

template <class To, class From>
void convert(const Tensor& to, const Tensor& from) {
  To* out = raw_data<To>(to);
  const From* in = raw_data<From>(from);
  for_each_element(to.shape(), to.impl()->strides.data(), from.impl()->strides.data(),
                   [&](std::int64_t a, std::int64_t b) { out[a] = static_cast<To>(in[b]); });
}

}  // namespace

std::string_view name_of(DType dtype) {
  constexpr std::string_view names[] = {"f32", "f64", "i64"};
  return names[static_cast<int>(dtype)];
}

std::size_t size_of(DType dtype) { return dtype == DType::f32 ? 4 : 8; }

void refuse_dtype(std::string_view operation, DType dtype) {
  throw ShapeError(operation,
                   fmt::format("got a tensor of {}, expected f32 or f64", name_of(dtype)));
}

std::uint64_t Storage::version() noexcept {
  static std::atomic<std::uint64_t> last = kNew;  // of all storages, so that no number comes twice
  std::uint64_t seen = version_.load(std::memory_order_acquire);
  while (seen == kNew) {
    const std::uint64_t next = ++last;
    if (version_.compare_exchange_weak(seen, next, std::memory_order_acq_rel)) return next;
  }
  return seen;
}

void Storage::changed() noexcept {
  std::uint64_t seen = version_.load(std::memory_order_relaxed);
  while (seen > kNew && !version_.compare_exchange_weak(seen, kNew, std::memory_order_acq_rel)) {
  }
}

const std::shared_ptr<Workspace>& current_workspace() {
  thread_local const std::shared_ptr<Workspace> workspace = std::make_shared<Workspace>();
  return workspace;
}

std::array<std::int64_t, Shape::max_rank> contiguous_strides(const Shape& shape) {
  std::array<std::int64_t, Shape::max_rank> strides{};
  std::int64_t stride = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    strides[static_cast<std::size_t>(d)] = stride;
    stride *= shape[d];
  }
  return strides;
}

int checked_dim(std::string_view operation, const Tensor& tensor, int dim) {
  const int rank = tensor.rank();
  if (dim < -rank || dim >= rank)
    throw ShapeError(operation,
                     fmt::format("dimension {} of a tensor of shape {}; expected {} to {}", dim,
                                 tensor.shape().str(), -rank, rank - 1));
  return dim < 0 ? dim + rank : dim;
}

namespace {

/// A contiguous tensor without storage, and its number of elements.
std::pair<std::shared_ptr<TensorImpl>, std::size_t> unstored(const Shape& shape, DType dtype) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    constexpr std::int64_t limit = std::numeric_limits<std::int64_t>::max() / 16;
    if (size < 0 || (size > 0 && count > limit / size))
      throw ShapeError("tensor", fmt::format("shape {} is impossible, expected sizes of at least 0 "
                                             "and a product that fits in memory",
                                             shape.str()));
    count *= size;
  }
  auto impl = make_pooled<TensorImpl>();
  impl->shape = shape;
  impl->strides = contiguous_strides(shape);
  impl->dtype = dtype;
  return {std::move(impl), static_cast<std::size_t>(count)};
}

void check_count(std::size_t given, const Shape& shape, std::size_t expected) {
  if (given != expected)
    throw ShapeError("tensor", fmt::format("{} values given for shape {}, expected {}", given,
                                           shape.str(), expected));
}

}  // namespace

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  auto [impl, count] = unstored(shape, dtype);
  impl->storage = make_pooled<Storage>(current_workspace(), count * size_of(dtype));
  return Tensor(std::move(impl));
}

template <class T>
Tensor Tensor::around(std::span<T> values, const Shape& shape, std::shared_ptr<void> owner) {
  auto [impl, count] = unstored(shape, DTypeOf<T>::value);
  check_count(values.size(), shape, count);
  impl->storage = make_pooled<Storage>(values.data(), std::move(owner));
  return Tensor(std::move(impl));
}
template Tensor Tensor::around(std::span<float>, const Shape&, std::shared_ptr<void>);
template Tensor Tensor::around(std::span<double>, const Shape&, std::shared_ptr<void>);
template Tensor Tensor::around(std::span<std::int64_t>, const Shape&, std::shared_ptr<void>);

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor result = empty(shape, dtype);
  // Zero bits are the number 0 in every type here.
  std::memset(result.impl_->storage->data(), 0,
              static_cast<std::size_t>(result.numel()) * size_of(dtype));
  return result;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  const FloatEnvironment environment;
  Tensor result = empty(shape, dtype);
  dispatch_all(
      dtype, [&]<class T>(T*) { std::ranges::fill(raw_values<T>(result), static_cast<T>(value)); });
  return result;
}

template <class T>
Tensor Tensor::from(std::span<const T> values, const Shape& shape) {
  Tensor result = empty(shape, DTypeOf<T>::value);
  check_count(values.size(), shape, static_cast<std::size_t>(result.numel()));
  std::ranges::copy(values, raw_data<T>(result));
  return result;
}
template Tensor Tensor::from(std::span<const float>, const Shape&);
template Tensor Tensor::from(std::span<const double>, const Shape&);
template Tensor Tensor::from(std::span<const std::int64_t>, const Shape&);

const Shape& Tensor::shape() const { return checked(*this).shape; }

std::int64_t Tensor::size(int dim) const { return shape()[checked_dim("size", *this, dim)]; }

std::int64_t Tensor::stride(int dim) const {
  const auto at = static_cast<std::size_t>(checked_dim("stride", *this, dim));
  return impl_->strides[at];
}

DType Tensor::dtype() const { return checked(*this).dtype; }

bool Tensor::is_contiguous() const {
  const TensorImpl& t = checked(*this);
  const auto expected = contiguous_strides(t.shape);
  for (int d = 0; d < t.shape.rank(); ++d) {
    const auto at = static_cast<std::size_t>(d);
    if (t.shape[d] != 1 && t.strides[at] != expected[at]) return t.shape.numel() == 0;
  }
  return true;
}

template <class T>
T* raw_data(const Tensor& tensor) {
  const TensorImpl& t = checked(tensor);
  if (t.dtype != DTypeOf<T>::value)
    throw ShapeError(
        "tensor",
        fmt::format("the tensor holds {}, but its data was asked for as {}; convert it with to()",
                    name_of(t.dtype), name_of(DTypeOf<T>::value)));
  return reinterpret_cast<T*>(t.storage->data()) + t.offset;
}
template float* raw_data(const Tensor&);
template double* raw_data(const Tensor&);
template std::int64_t* raw_data(const Tensor&);

template <class T>
std::span<T> raw_values(const Tensor& tensor) {
  if (!tensor.is_contiguous())
    throw ShapeError("tensor",
                     fmt::format("the elements of this view of shape {} are not adjacent; "
                                 "call contiguous() first",
                                 tensor.shape().str()));
  return {raw_data<T>(tensor), static_cast<std::size_t>(tensor.numel())};
}
template std::span<float> raw_values(const Tensor&);
template std::span<double> raw_values(const Tensor&);
template std::span<std::int64_t> raw_values(const Tensor&);

void changed(const Tensor& tensor) { tensor.impl()->storage->changed(); }

template <class T>
T* Tensor::data() const {
  T* const elements = raw_data<T>(*this);
  impl_->storage->hand_out();
  return elements;
}
template float* Tensor::data() const;
template double* Tensor::data() const;
template std::int64_t* Tensor::data() const;

template <class T>
std::span<T> Tensor::values() const {
  const std::span<T> elements = raw_values<T>(*this);
  impl_->storage->hand_out();
  return elements;
}
template std::span<float> Tensor::values() const;
template std::span<double> Tensor::values() const;
template std::span<std::int64_t> Tensor::values() const;

double Tensor::item() const {
  if (numel() != 1)
    throw ShapeError("item", fmt::format("a tensor of shape {} has {} elements, expected 1",
                                         shape().str(), numel()));
  const FloatEnvironment environment;
  return dispatch_all(dtype(),
                      [&]<class T>(T*) { return static_cast<double>(*raw_data<T>(*this)); });
}

std::vector<double> Tensor::to_vector() const {
  const Tensor converted = contiguous().to(DType::f64);
  const auto all = raw_values<double>(converted);
  return {all.begin(), all.end()};
}

Tensor make_view(const Tensor& base, const Shape& shape,
                 const std::array<std::int64_t, Shape::max_rank>& strides, std::int64_t offset) {
  auto impl = make_pooled<TensorImpl>();
  impl->storage = base.impl()->storage;
  impl->offset = base.impl()->offset + static_cast<std::size_t>(offset);
  impl->shape = shape;
  impl->strides = strides;
  impl->dtype = base.impl()->dtype;
  return Tensor(std::move(impl));
}

Tensor make_view(const Tensor& base, const Shape& shape, std::int64_t offset) {
  return make_view(base, shape, contiguous_strides(shape), offset);
}

void copy_into(const Tensor& to, const Tensor& from) {
  dispatch_all(to.dtype(),
               [&]<class T>(T*) { combine<T>(to, from, [](T& a, const T& b) { a = b; }); });
  changed(to);
}

void add_into(const Tensor& to, const Tensor& from) {
  dispatch("add", to.dtype(),
           [&]<class T>(T*) { combine<T>(to, from, [](T& a, const T& b) { a += b; }); });
  changed(to);
}

Tensor Tensor::clone() const {
  Tensor result = empty(shape(), dtype());
  copy_into(result, *this);
  return result;
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == this->dtype()) return *this;
  const FloatEnvironment environment;
  Tensor result = empty(shape(), dtype);
  dispatch_all(dtype, [&]<class To>(To*) {
    dispatch_all(this->dtype(), [&]<class From>(From*) { convert<To, From>(result, *this); });
  });
  return result;
}

Tensor Tensor::detach() const {
  const TensorImpl& t = checked(*this);
  return make_view(*this, t.shape, t.strides, 0);
}

}  // namespace unroll
