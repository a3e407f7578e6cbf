#include "app/data_flags.h"

#include "app/data_source.h"
#include "app/messages.h"
#include "run/stop_signal.h"

namespace unroll::app {

void add_data_dir(Command& command, std::string& data_dir) {
  command
      .option(
          "--data-dir", data_dir,
          "Folder that holds mnist/ or torchvision's MNIST/raw/. Default UNROLL_DATA_DIR or the "
          "cache")
      .folder();
}

void DataFlags::add_to(Command& command) {
  add_data_dir(command, data_dir);
  command.flag("--fallback-fashion", fallback_fashion,
               "Take Debian's Fashion-MNIST if MNIST can't be downloaded. Default off");
}

std::shared_ptr<const data::Source> DataFlags::open(const std::string& name,
                                                    data::SourceOptions options,
                                                    bool allow_download) const {
  const run::CatchStopSignals guard;
  LoadOptions images;
  images.data_dir = data_dir;
  images.allow_download = allow_download;
  images.allow_fashion_fallback = fallback_fashion;
  images.download.cancelled = &run::stop_requested;
  options.find_images = [&](const std::string& wanted) { return load_sets(wanted, images); };
  auto source = data::open_source(name, options);
  if (run::stop_requested()) throw Cancelled("data", "stopped while the data was loaded");
  return source;
}

void TableFlags::add_to(Command& command) {
  command.option("--separator", separator,
                 "Character between the fields of a table, or tab. Default: found in the file");
  command.option("--decimal", decimal, "Decimal point of a table's numbers, as in 12,5. Default .");
}

void TableFlags::apply_to(data::SeriesSettings& settings) const {
  if (!separator.empty()) settings.separator = separator;
  if (!decimal.empty()) settings.decimal = decimal;
}

void tell_note(const data::Source& source) {
  if (const std::string note = source.note(); !note.empty()) say_note(note);
}

}  // namespace unroll::app
