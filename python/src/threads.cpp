// How many threads the library uses.
#include "unroll/core/threads.h"

#include "bindings.h"

namespace unroll::python {
namespace {

constexpr const char* kSet = R"(Set the number of threads, with the caller's.

Parameters
----------
count : int
    The number, or 0 for the cores that this process may use. Answers have the same bits for any number.

Notes
-----
After ``import unroll.torch`` all work is done by PyTorch's threads. Then ``torch.set_num_threads`` counts,
and this function does nothing.

Examples
--------
>>> unroll.set_num_threads(2)
>>> unroll.num_threads()
2
)";

constexpr const char* kNumber = R"(Return the number of threads in use.

Returns
-------
int
    The number, with the caller's.

Examples
--------
>>> unroll.num_threads() > 0
True
)";

}  // namespace

void bind_threads(nanobind::module_& module) {
  namespace nb = nanobind;
  module.def("set_num_threads", &set_num_threads, nb::arg("count"),
             nb::call_guard<nb::gil_scoped_release>(), kSet);
  module.def("num_threads", &num_threads, kNumber);
}

}  // namespace unroll::python
