// Turns the exceptions of C++ into the exceptions of unroll/errors.py.
#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <string>
#include <string_view>

#include "bindings.h"
#include "import/architecture.h"
#include "unroll/core/error.h"

namespace unroll::python {
namespace {

namespace nb = nanobind;

/// The text with Python's words: the program's flags are arguments here.
std::string in_python(std::string text) {
  static constexpr std::string_view kWords[][2] = {{"--ignore ", "ignore="},
                                                   {"--key", "key="},
                                                   {"--arch", "arch="},
                                                   {"--streaming", "streaming=True"},
                                                   {"--lengths", "lengths=True"},
                                                   {"--format cpp", "export(\"cpp\")"},
                                                   {"--format js", "export(\"js\")"},
                                                   {"--format npz", "export(\"npz\")"},
                                                   {"--format onnx", "export(\"onnx\")"}};
  for (const auto& [flag, word] : kWords)
    for (std::size_t at = 0; (at = text.find(flag, at)) != text.npos; at += word.size())
      text.replace(at, flag.size(), word);
  return text;
}

/// Raises the class of unroll.errors with this name.
void raise(const char* name, const Error& error) {
  try {
    const nb::object type = nb::module_::import_("unroll.errors").attr(name);
    PyErr_SetString(type.ptr(), in_python(error.what()).c_str());
  } catch (nb::python_error& failure) {
    failure.restore();
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
    raise("ShapeError", error);
  } catch (const ValueError& error) {
    raise("ArgumentError", error);
  } catch (const FileError& error) {
    raise("FileError", error);
  } catch (const FormatError& error) {
    raise("FormatError", error);
  } catch (const importer::OpenQuestions& open) {
    raise_architecture(open);
  } catch (const Error& error) {
    raise("Error", error);
  }
}

}  // namespace

void bind_errors() { nb::register_exception_translator(translate); }

}  // namespace unroll::python
