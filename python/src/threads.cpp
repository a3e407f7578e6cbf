#include "unroll/core/threads.h"

#include "bindings.h"

namespace unroll::python {

void bind_threads(nanobind::module_& module) {
  namespace nb = nanobind;
  module.def("set_num_threads", &set_num_threads, nb::arg("count"),
             nb::call_guard<nb::gil_scoped_release>());
  module.def("num_threads", &num_threads);
}

}  // namespace unroll::python
