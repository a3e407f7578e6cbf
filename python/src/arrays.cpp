#include "arrays.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "unroll/core/error.h"

namespace unroll::python {
namespace {

namespace nb = nanobind;

/// What is used of numpy. It is never freed: at exit Python may be gone before us.
struct Numpy {
  nb::object array, asarray, empty, float32, float64;
};
const Numpy* numpy = nullptr;

}  // namespace

void find_numpy() {
  const nb::module_ found = nb::module_::import_("numpy");
  numpy = new Numpy{found.attr("array"), found.attr("asarray"), found.attr("empty"),
                    found.attr("dtype")("float32"), found.attr("dtype")("float64")};
}

std::optional<Buffer> Buffer::of(nb::handle object, char type, bool writable) {
  Py_buffer view;
  const int flags = PyBUF_ND | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0);
  if (PyObject_GetBuffer(object.ptr(), &view, flags) != 0) {
    PyErr_Clear();
    return std::nullopt;
  }
  Buffer buffer(view);
  // An array of another type may have elements of no bytes.
  if (!view.format || view.format[0] != type || view.format[1] != '\0') return std::nullopt;
  const std::size_t alignment = type == 'f' ? alignof(float) : alignof(double);
  if (reinterpret_cast<std::uintptr_t>(view.buf) % alignment != 0) return std::nullopt;
  return buffer;
}

std::string text_of(nb::handle object) {
  const nb::str text(object);
  return text.c_str();
}

template <>
nb::handle dtype_of<float>() {
  return numpy->float32;
}
template <>
nb::handle dtype_of<double>() {
  return numpy->float64;
}

template <class T>
Buffer view(nb::handle object) {
  if (auto buffer = Buffer::of<T>(object)) return std::move(*buffer);
  const nb::object given = numpy->asarray(object);
  const nb::object kind = given.attr("dtype").attr("kind");
  if (!std::strchr("fiub", text_of(kind)[0])) {
    const nb::object type = given.attr("dtype");
    throw nb::type_error(
        fmt::format("[unroll] the array has elements of {}, expected numbers", text_of(type))
            .c_str());
  }
  const nb::object converted =
      numpy->array(given, nb::arg("dtype") = dtype_of<T>(), nb::arg("order") = "C");
  auto buffer = Buffer::of<T>(converted);
  if (!buffer) throw nb::type_error("[unroll] the array has no numbers in memory");
  return std::move(*buffer);
}

template Buffer view<float>(nb::handle);
template Buffer view<double>(nb::handle);

nb::object empty_array(nb::handle shape, nb::handle dtype) { return numpy->empty(shape, dtype); }

nb::object empty_array(std::span<const std::size_t> shape, nb::handle dtype) {
  const auto sizes = nb::steal<nb::tuple>(PyTuple_New(static_cast<Py_ssize_t>(shape.size())));
  for (std::size_t i = 0; i < shape.size(); ++i)
    PyTuple_SetItem(sizes.ptr(), static_cast<Py_ssize_t>(i), PyLong_FromSize_t(shape[i]));
  return empty_array(sizes, dtype);
}

template <class T>
Buffer result_view(nb::handle out, std::size_t size, const char* shape) {
  auto buffer = Buffer::of<T>(out, true);
  const char* const type = std::is_same_v<T, float> ? "float32" : "float64";
  if (!buffer) {
    const std::string given = nb::hasattr(out, "dtype")
                                  ? "an array of " + text_of(nb::object(out.attr("dtype")))
                                  : text_of(nb::object(out.type().attr("__name__")));
    throw ShapeError("out", fmt::format("out is {}, expected {} of shape {}, contiguous, aligned "
                                        "and writable",
                                        given, type, shape));
  }
  if (buffer->size() != size)
    throw ShapeError("out", fmt::format("out has shape ({}), expected {}",
                                        fmt::join(buffer->shape(), ", "), shape));
  return std::move(*buffer);
}

template Buffer result_view<float>(nb::handle, std::size_t, const char*);
template Buffer result_view<double>(nb::handle, std::size_t, const char*);

}  // namespace unroll::python
