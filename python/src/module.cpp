#include "arrays.h"
#include "bindings.h"

NB_MODULE(_core, module) {
  using namespace unroll::python;
  module.doc() = "The C++ part of the package. Its names are private: programs import unroll.";
  // A program may end while a graph of PyTorch's, or a global, holds objects of this module.
  nanobind::set_leak_warnings(false);
  find_numpy();
  bind_errors();
  bind_threads(module);
  bind_model(module);
  bind_import(module);
  bind_export(module);
  bind_stream(module);
  bind_recurrent(module);
  bind_openmp(module);
}
