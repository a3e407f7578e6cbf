#include "app/data_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "app/commands.h"
#include "app/data_set_names.h"
#include "app/data_source.h"
#include "core/printable.h"
#include "data/catalogue.h"
#include "data/places.h"
#include "run/stop_signal.h"
#include "unroll/core/error.h"

namespace unroll::app {
namespace {

void print_split(const char* what, const data::Dataset& set) {
  fmt::print("{:<14}{}x{}x{}  sha256 {}\n", fmt::format("{} images", what), set.count, set.rows,
             set.columns, set.images_sha256);
  fmt::print("{:<14}{:<{}}  sha256 {}\n", fmt::format("{} labels", what), set.count,
             fmt::formatted_size("{}x{}x{}", set.count, set.rows, set.columns), set.labels_sha256);
}

// Exact integers until the last step: 2^31 pixels of 255 squared fit into 64 bits.
void print_pixels(const data::Dataset& set) {
  std::uint64_t sum = 0, squares = 0;
  for (const std::uint8_t pixel : set.images) {
    sum += pixel;
    squares += std::uint64_t{pixel} * pixel;
  }
  const auto count = static_cast<double>(set.images.size());
  const double mean = static_cast<double>(sum) / count / 255;
  const double variance = static_cast<double>(squares) / count / (255.0 * 255) - mean * mean;
  fmt::print("{:<14}mean {:.4f}, std {:.4f} (training images, scaled to [0, 1])\n", "pixels", mean,
             std::sqrt(std::max(variance, 0.0)));
}

void print_class_counts(const char* what, const data::Dataset& set) {
  std::array<std::int64_t, 256> counts{};
  for (const std::uint8_t label : set.labels) ++counts[label];
  fmt::print("{:<14}{}\n", fmt::format("{} classes", what),
             fmt::join(counts.begin(), counts.begin() + set.classes, " "));
}

}  // namespace

int data_fetch(const std::string& name, const std::string& data_dir,
               const DownloadOptions& options) {
  const data::KnownSet& set = data::known_set(name);
  if (data_dir.empty()) {
    // What lies in UNROLL_DATA_DIR comes before the cache, and is not ours to change.
    const auto folder = data::find_set_folder(name, "");
    if (folder && *folder != data::cache_folder() + "/" + name) {
      fmt::print("{} is in {}, which comes before the cache\n", set.title, printable(*folder));
      return 0;
    }
  }
  const std::string place = data_dir.empty() ? data::cache_folder() : data_dir;
  if (place.empty())
    throw FileError("data",
                    "there is no cache: neither XDG_CACHE_HOME nor HOME is set; name a "
                    "folder with --data-dir");
  fetch_set(set, place + "/" + name, set.mirrors, options);
  fmt::print("{} is in {}/{}\n{}\n", set.title, printable(place), name, set.licence);
  return 0;
}

int data_info(const std::string& name_or_folder, const std::string& data_dir) {
  LoadOptions options;
  options.data_dir = data_dir;
  options.allow_download = false;
  const data::ImageSets sets = load_sets(name_or_folder, options);
  const bool published = sets.train.published && sets.test.published;
  const data::KnownSet* known = data::find_known_set(sets.train.name);
  fmt::print("{:<14}{}\n", "set", known ? known->title : printable(sets.train.name));
  fmt::print("{:<14}{}\n", "place", printable(sets.train.place));
  print_split("train", sets.train);
  print_split("test", sets.test);
  print_pixels(sets.train);
  print_class_counts("train", sets.train);
  print_class_counts("test", sets.test);
  fmt::print("{:<14}{}\n", "content",
             published ? "as published" : "NOT as published under a name that is known here");
  if (known) fmt::print("{:<14}{}\n", "licence", known->licence);
  return 0;
}

void add_data(Command& program) {
  Command data =
      program.add("data", "Download a data set, or show what is in one.", "unroll data info mnist");
  struct Flags {
    std::string name, data_dir;
  };
  const auto flags = std::make_shared<Flags>();
  const auto add = [&](const char* name, const char* description, const char* example,
                       const char* sets) {
    Command command = data.add(name, description, example);
    command.option("name", flags->name, sets)
        .required()
        .folder("NAME")
        .offers(published_set_names());
    command.option("--data-dir", flags->data_dir, "Folder that holds mnist/, fashion-mnist/, ...")
        .folder();
    return command;
  };
  add("fetch", "Download a set into the cache, or --data-dir, and check it.",
      "unroll data fetch mnist", "mnist, fashion-mnist or kmnist")
      .set_work([flags] {
        const run::CatchStopSignals guard;
        DownloadOptions options;
        options.cancelled = &run::stop_requested;
        return data_fetch(flags->name, flags->data_dir, options);
      });
  add("info", "Show sizes, statistics, place and hashes of a set.", "unroll data info mnist",
      "mnist, fashion-mnist, kmnist, or a folder")
      .set_work([flags] { return data_info(flags->name, flags->data_dir); });
}

}  // namespace unroll::app
