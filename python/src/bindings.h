// The parts of unroll._core. Each is a file of its own, and adds its names to the module.
#pragma once

#include <nanobind/nanobind.h>

namespace unroll::python {

void bind_errors();
void bind_threads(nanobind::module_& module);
void bind_model(nanobind::module_& module);
void bind_import(nanobind::module_& module);
void bind_export(nanobind::module_& module);
void bind_stream(nanobind::module_& module);
void bind_recurrent(nanobind::module_& module);
void bind_openmp(nanobind::module_& module);

}  // namespace unroll::python
