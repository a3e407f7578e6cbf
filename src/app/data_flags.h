// The flags of every verb that reads a data set.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "app/data_source.h"
#include "app/messages.h"
#include "run/stop_signal.h"

namespace unroll::app {

struct DataFlags {
  std::string data_dir;
  bool fallback_fashion = false;

  void add_to(CLI::App& verb) {
    verb.add_option("--data-dir", data_dir, "Folder that holds mnist/, fashion-mnist/, ...");
    verb.add_flag("--fallback-fashion", fallback_fashion,
                  "Take Fashion-MNIST from the distribution's package where MNIST can't be had");
  }

  /// Loads, and throws Cancelled where a signal asks to stop (run/stop_signal.h). `also_known` as
  /// in SourceOptions.
  Sets load(const std::string& name_or_folder,
            const std::vector<std::string_view>& also_known = {}) const {
    const run::CatchStopSignals guard;
    SourceOptions options;
    options.data_dir = data_dir;
    options.allow_fashion_fallback = fallback_fashion;
    options.also_known = also_known;
    options.download.cancelled = &run::stop_requested;
    Sets sets = load_sets(name_or_folder, options);
    if (run::stop_requested()) throw Cancelled("data", "stopped while the data was loaded");
    return sets;
  }
};

/// Says so where the data is not what was published under a known name.
inline void note_unpublished(const Sets& sets) {
  if (!sets.train.published || !sets.test.published)
    say_note(fmt::format("the files in {} are not those published as {}", sets.train.place,
                         sets.train.name));
}

}  // namespace unroll::app
