// C++ exceptions become those of unroll/errors.py.
#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "bindings.h"
#include "import/architecture.h"
#include "unroll/core/error.h"

namespace unroll::python {
namespace {

namespace nb = nanobind;

/// Raises the class of unroll.errors with this name.
void raise(const char* name, const char* text) {
  try {
    const nb::object type = nb::module_::import_("unroll.errors").attr(name);
    PyErr_SetString(type.ptr(), text);
  } catch (nb::python_error& error) {
    error.restore();
  }
}

void raise_architecture(const importer::OpenQuestions& open) {
  try {
    const nb::object type = nb::module_::import_("unroll.errors").attr("ArchitectureError");
    const std::string text =
        fmt::format("{}; give it as arch=. Where | stands between several words, keep one:\n{}",
                    open.what(), open.architecture());
    PyErr_SetObject(type.ptr(), type(text, open.architecture()).ptr());
  } catch (nb::python_error& error) {
    error.restore();
  }
}

void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const ShapeError& error) {
    raise("ShapeError", error.what());
  } catch (const ValueError& error) {
    raise("ArgumentError", error.what());
  } catch (const FileError& error) {
    raise("FileError", error.what());
  } catch (const FormatError& error) {
    raise("FormatError", error.what());
  } catch (const importer::OpenQuestions& open) {
    raise_architecture(open);
  } catch (const Error& error) {
    raise("Error", error.what());
  }
}

}  // namespace

void bind_errors() { nb::register_exception_translator(translate); }

}  // namespace unroll::python
