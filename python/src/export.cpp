// Models for other programs (src/export). The .npz is written in Python.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "bindings.h"
#include "core/file.h"
#include "export/cpp_header.h"
#include "export/js.h"
#include "export/onnx.h"
#include "model.h"

namespace unroll::python {

void bind_export(nanobind::module_& module) {
  namespace nb = nanobind;
  using namespace nb::literals;
  module.def(
      "write_file",
      [](const std::string& path, const nb::bytes& content) {
        write_file("export", path, {static_cast<const std::byte*>(content.data()), content.size()});
      },
      "path"_a, "content"_a);
  module.def(
      "onnx",
      [](const Model& model, bool streaming, bool lengths, bool scaling) {
        const std::string bytes =
            exporter::onnx(model.spec, model.file.arrays(), {streaming, lengths, scaling}).bytes;
        return nb::bytes(bytes.data(), bytes.size());
      },
      "model"_a, "streaming"_a, "lengths"_a, "scaling"_a);
  module.def(
      "cpp_header",
      [](const Model& model, const std::string& name, bool int8) {
        return exporter::cpp_header(model.spec, model.file.arrays(), {name, int8}).text;
      },
      "model"_a, "name"_a, "int8"_a);
  module.def(
      "js_module",
      [](const Model& model) { return exporter::js_module(model.spec, model.file.arrays()); },
      "model"_a);
}

}  // namespace unroll::python
