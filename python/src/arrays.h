// NumPy's arrays, through the buffer protocol: a view costs less than a tenth of a microsecond.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace unroll::python {

/// A view of a contiguous row-major array. Keeps the object alive, and its memory in place. Make
/// and destroy it with the GIL.
class Buffer {
 public:
  /// Views `object` if it is such an array with elements of T, and can be written if `writable`.
  template <class T>
  static std::optional<Buffer> of(nanobind::handle object, bool writable = false) {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
    return of(object, std::is_same_v<T, float> ? 'f' : 'd', writable);
  }

  Buffer(Buffer&& other) noexcept : view_(other.view_) { other.view_.obj = nullptr; }
  Buffer& operator=(Buffer&&) = delete;
  ~Buffer() {
    if (view_.obj) PyBuffer_Release(&view_);
  }

  std::span<const Py_ssize_t> shape() const {
    return {view_.shape, static_cast<std::size_t>(view_.ndim)};
  }
  std::size_t size() const { return static_cast<std::size_t>(view_.len / view_.itemsize); }
  template <class T>
  std::span<const T> values() const {
    return {static_cast<const T*>(view_.buf), size()};
  }
  template <class T>
  std::span<T> out() const {
    return {static_cast<T*>(view_.buf), size()};
  }

 private:
  static std::optional<Buffer> of(nanobind::handle object, char type, bool writable);
  explicit Buffer(const Py_buffer& view) : view_(view) {}

  Py_buffer view_;
};

/// Finds what the functions below use of numpy. To be called once, while the module is imported.
void find_numpy();

/// str(object)
std::string text_of(nanobind::handle object);

/// numpy.float32 for float, numpy.float64 for double.
template <class T>
nanobind::handle dtype_of();

/// A view of any array of numbers, which is converted and copied where needed. Raises what
/// numpy.asarray raises.
template <class T>
Buffer view(nanobind::handle object);

/// A new array without values.
nanobind::object empty_array(nanobind::handle shape, nanobind::handle dtype);
nanobind::object empty_array(std::span<const std::size_t> shape, nanobind::handle dtype);

/// A view of an array that a caller gave for results. Raises ShapeError if it is none of T, can't
/// be written, or has not `size` elements.
template <class T>
Buffer result_view(nanobind::handle out, std::size_t size, const char* shape);

}  // namespace unroll::python
