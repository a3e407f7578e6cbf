// unroll export --format cpp: a model as one C++ header.
#pragma once

#include <string>

#include "app/data_flags.h"
#include "app/model_source.h"

namespace unroll::app {

struct CppFlags {
  std::string name, dataset;
  bool int8 = false;
  DataFlags data;

  void add_to(Command& command);
};

/// Writes the header. Prints the memory that it needs, and with --int8 the loss of accuracy. Throws
/// what exporter::cpp_header throws, FileError, and UsageError if neither a flag nor the file gives
/// a name.
int export_cpp(const LoadedModel& model, const std::string& out, const CppFlags& flags);

}  // namespace unroll::app
