// Models that PyTorch trained (src/import).
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "import/import_model.h"
#include "model.h"

namespace unroll::python {
namespace {

namespace nb = nanobind;
using namespace nb::literals;

Model model_of(const importer::ImportedModel& imported) {
  std::vector<io::ArrayView> views;
  for (const importer::Weight& weight : imported.weights) views.push_back(weight.view());
  return {imported.spec, views};
}

}  // namespace

void bind_import(nb::module_& module) {
  module.def(
      "import_file",
      [](const std::string& path, const std::optional<std::string>& architecture,
         const std::string& name, const std::string& key, const std::vector<std::string>& ignore) {
        const nb::gil_scoped_release unlocked;
        return model_of(importer::import_model(importer::read_state_dict(path, key, ignore),
                                               architecture, name));
      },
      "path"_a, "architecture"_a.none(), "name"_a, "key"_a, "ignore"_a);
}

}  // namespace unroll::python
