#include "app/data_flags.h"

#include <fmt/format.h>

#include "app/messages.h"
#include "run/stop_signal.h"

namespace unroll::app {

void DataFlags::add_to(Verb& verb) {
  verb.option("--data-dir", data_dir, "Folder that holds mnist/, fashion-mnist/, ...");
  verb.flag("--fallback-fashion", fallback_fashion,
            "Take Fashion-MNIST from the distribution's package where MNIST can't be had");
}

Sets DataFlags::load(const std::string& name_or_folder,
                     const std::vector<std::string_view>& also_known) const {
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

void note_unpublished(const Sets& sets) {
  if (!sets.train.published || !sets.test.published)
    say_note(fmt::format("the files in {} are not those published as {}", sets.train.place,
                         sets.train.name));
}

}  // namespace unroll::app
