// The flags of every command that reads a data set.
#pragma once

#include <memory>
#include <string>

#include "app/command.h"
#include "data/open_source.h"

namespace unroll::app {

/// --data-dir, which every command has that reads or downloads a data set.
void add_data_dir(Command& command, std::string& data_dir);

struct DataFlags {
  std::string data_dir;
  bool fallback_fashion = false;

  void add_to(Command& command);

  /// Opens the source of this name; images may be downloaded. Throws what data::open_source() and
  /// load_sets() throw, and Cancelled if a signal asks to stop (run/stop_signal.h).
  std::shared_ptr<const data::Source> open(const std::string& name, data::SourceOptions options,
                                           bool allow_download = true) const;
};

/// The form of a table's text, for commands that read one for a trained model.
struct TableFlags {
  std::string separator, decimal;

  void add_to(Command& command);
  void apply_to(data::SeriesSettings& settings) const;
};

/// Prints the note of a source that has one.
void tell_note(const data::Source& source);

}  // namespace unroll::app
