// The flags of every verb that reads a data set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/data_source.h"
#include "app/verb.h"

namespace unroll::app {

struct DataFlags {
  std::string data_dir;
  bool fallback_fashion = false;

  void add_to(Verb& verb);

  /// Loads, and throws Cancelled where a signal asks to stop (run/stop_signal.h). `also_known` as
  /// in SourceOptions.
  Sets load(const std::string& name_or_folder,
            const std::vector<std::string_view>& also_known = {}) const;
};

/// Says so where the data is not what was published under a known name.
void note_unpublished(const Sets& sets);

}  // namespace unroll::app
