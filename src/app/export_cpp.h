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

/// Writes the header and says what it needs of memory, and with --int8 what the 8 bits cost.
/// Throws what exporter::cpp_header throws, FileError, and UsageError where the file's name gives
/// no name and there is no flag for it.
int export_cpp(const LoadedModel& model, const std::string& out, const CppFlags& flags);

}  // namespace unroll::app
