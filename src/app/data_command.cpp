#include "app/data_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "app/commands.h"
#include "app/data_flags.h"
#include "app/data_set_names.h"
#include "app/data_source.h"
#include "app/json_line.h"
#include "app/series_info.h"
#include "app/train_flags.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "data/catalogue.h"
#include "data/open_source.h"
#include "data/pixel_statistics.h"
#include "data/places.h"
#include "data/source_traits.h"
#include "run/stop_signal.h"
#include "train/describe.h"
#include "unroll/core/error.h"

namespace unroll::app {
namespace {

using Json = nlohmann::ordered_json;

// ---- list

std::string place_text(const data::KnownSet& set, const data::FoundSet& found,
                       const std::string& data_dir) {
  if (found.complete()) return printable(found.folder);
  std::string remedy = "unroll data fetch " + set.name;
  if (!data_dir.empty()) remedy += " --data-dir " + shell_word(data_dir);
  if (found.folder.empty()) return "not here; " + remedy;
  return fmt::format("{} ({} of 4 files; {})", printable(found.folder), found.files, remedy);
}

Json json_of_set(const data::KnownSet& set, const data::FoundSet& found) {
  return {{"event", "data_set"},
          {"name", set.name},
          {"title", set.title},
          {"train", set.train},
          {"test", set.test},
          {"rows", set.rows},
          {"columns", set.columns},
          {"classes", set.classes},
          {"download_bytes", data::download_size(set)},
          {"licence", set.licence},
          {"credit", set.credit},
          {"here", found.complete()},
          {"place", found.folder.empty() ? Json() : Json(found.folder)}};
}

// ---- info

using Counts = std::vector<std::int64_t>;

/// Images of each class.
Counts class_counts(const data::Dataset& set, int classes) {
  Counts counts(static_cast<std::size_t>(classes));
  for (const std::uint8_t label : set.labels) ++counts[label];
  return counts;
}

/// What is known of a set, for both forms of printing.
struct SetInfo {
  explicit SetInfo(const data::ImageSets& from)
      : sets(from),
        known(data::find_known_set(from.train.name)),
        pixels(data::pixel_statistics(from.train)),
        published(from.train.published && from.test.published) {
    const int classes = std::max(sets.train.classes, sets.test.classes);
    train_counts = class_counts(sets.train, classes);
    test_counts = class_counts(sets.test, classes);
  }

  const data::ImageSets& sets;
  const data::KnownSet* known;  // by name
  data::Normalization pixels;
  bool published;
  Counts train_counts, test_counts;
};

void print_split(const char* what, const data::Dataset& set) {
  fmt::print("{:<14}{}x{}x{}  sha256 {}\n", fmt::format("{} images", what), set.count, set.rows,
             set.columns, set.images_sha256);
  fmt::print("{:<14}{:<{}}  sha256 {}\n", fmt::format("{} labels", what), set.count,
             fmt::formatted_size("{}x{}x{}", set.count, set.rows, set.columns), set.labels_sha256);
}

void print_info(const SetInfo& info) {
  const auto& [train, test] = info.sets;
  fmt::print("{:<14}{}\n", "set", info.known ? info.known->title : printable(train.name));
  fmt::print("{:<14}{}\n", "place", printable(train.place));
  print_split("train", train);
  print_split("test", test);
  fmt::print("{:<14}mean {:.4f}, std {:.4f} (training images, scaled to [0, 1])\n", "pixels",
             info.pixels.mean, info.pixels.std);
  fmt::print("{:<14}{}\n", "train classes", fmt::join(info.train_counts, " "));
  fmt::print("{:<14}{}\n", "test classes", fmt::join(info.test_counts, " "));
  fmt::print("{:<14}{}\n", "content",
             info.published ? "as published"
             : info.known   ? fmt::format("NOT as {} was published", info.known->name)
                            : "none of the published sets");
  if (info.known) fmt::print("{:<14}{}, {}\n", "licence", info.known->licence, info.known->credit);
}

Json json_of_set(const data::Dataset& set, const Counts& counts) {
  return {{"images", set.count},
          {"rows", set.rows},
          {"columns", set.columns},
          {"images_sha256", set.images_sha256},
          {"labels_sha256", set.labels_sha256},
          {"classes", counts}};
}

void print_info_as_json(const SetInfo& info) {
  const auto& [train, test] = info.sets;
  Json line = {{"event", "data_info"},
               {"name", train.name},
               {"place", train.place},
               {"train", json_of_set(train, info.train_counts)},
               {"test", json_of_set(test, info.test_counts)},
               {"pixels", {{"mean", info.pixels.mean}, {"std", info.pixels.std}}},
               {"published", info.published}};
  if (info.known) {
    line["title"] = info.known->title;
    line["licence"] = info.known->licence;
    line["credit"] = info.known->credit;
  }
  fmt::print("{}\n", json_line(line));
}

}  // namespace

int data_list(const std::string& data_dir, bool json) {
  if (!json)
    fmt::print("{:<14} {:<15} {:<6} {:>7} {:>9}  {:<13} {}\n", "name", "train + test", "size",
               "classes", "download", "licence", "where it is");
  for (const data::KnownSet& set : data::catalogue()) {
    const data::FoundSet found = data::find_set(set, data_dir);
    if (json)
      fmt::print("{}\n", json_line(json_of_set(set, found)));
    else
      fmt::print("{:<14} {:<15} {:<6} {:>7} {:>9}  {:<13} {}\n", set.name,
                 fmt::format("{} + {}", set.train, set.test),
                 fmt::format("{}x{}", set.rows, set.columns), set.classes,
                 fmt::format("{:.1f} MB", static_cast<double>(data::download_size(set)) / 1e6),
                 set.licence, place_text(set, found, data_dir));
  }
  if (!json) fmt::print("\ntasks, made from random numbers: nothing to download, no licence\n");
  for (const data::SourceTraits& task : data::named_sources())
    if (json)
      fmt::print("{}\n",
                 json_line({{"event", "task"}, {"name", task.name}, {"title", task.title}}));
    else
      fmt::print("{:<14} {}\n", task.name, task.title);
  if (!json)
    fmt::print(
        "\nA folder with the four files of your own images works too: unroll data info "
        "FOLDER\n");
  return kOk;
}

int data_fetch(const std::string& name, const std::string& data_dir,
               const DownloadOptions& options) {
  const data::KnownSet& set = data::known_set(name);
  const std::string place = data_dir.empty() ? data::cache_folder() : data_dir;
  // A set in UNROLL_DATA_DIR or in torchvision's layout belongs to the user.
  const data::FoundSet found = data::find_set(set, data_dir);
  if (found.complete() && found.folder != place + "/" + name) {
    fmt::print("{} is in {}, nothing to download\n", set.title, printable(found.folder));
    return kOk;
  }
  if (data_dir.empty() && !found.folder.empty() && !found.folder.starts_with(place + "/"))
    throw FileError("data", fmt::format("{} has {} of the 4 files of {}, and comes before the "
                                        "cache; complete it with --data-dir \"$UNROLL_DATA_DIR\"",
                                        printable(found.folder), found.files, name));
  if (place.empty())
    throw FileError("data",
                    "there is no cache, because neither XDG_CACHE_HOME nor HOME is set; name a "
                    "folder with --data-dir");
  fetch_set(set, place + "/" + name, set.mirrors, options);
  fmt::print("{} is in {}/{}\n{}, {}\n", set.title, printable(place), name, set.licence,
             set.credit);
  return kOk;
}

int data_info(const std::string& name_or_folder, const std::string& data_dir, bool json) {
  if (!data::source_traits(name_or_folder).name.empty())
    throw ValueError("data", fmt::format("{} is a task made from random numbers; there is nothing "
                                         "to describe",
                                         name_or_folder));
  LoadOptions options;
  options.data_dir = data_dir;
  options.allow_download = false;
  const data::ImageSets sets = load_sets(name_or_folder, options);
  (json ? print_info_as_json : print_info)(SetInfo(sets));
  return kOk;
}

void add_data(Command& program) {
  Command data =
      program.add("data", "List the data sets, download one, or describe one", "unroll data list");
  struct Flags {
    std::string name, data_dir;
    bool json = false;
  };
  const auto flags = std::make_shared<Flags>();
  const auto add = [&](const char* name, const char* description, const char* example) {
    Command command = data.add(name, description, example);
    add_data_dir(command, flags->data_dir);
    return command;
  };
  Command list = add("list", "List data sets and tasks: sizes, licences, and where they are",
                     "unroll data list");
  list.flag("--json", flags->json, "One line of JSON for each");
  list.set_work([flags] { return data_list(flags->data_dir, flags->json); });

  const auto names = data::known_set_names();
  Command fetch = add("fetch", "Download a data set into the cache, or --data-dir, and check it",
                      "unroll data fetch mnist");
  fetch.option("name", flags->name, fmt::format("{}", fmt::join(names, ", ")))
      .required()
      .value("NAME")
      .offers(names);
  fetch.set_work([flags] {
    const run::CatchStopSignals guard;
    DownloadOptions options;
    options.cancelled = &run::stop_requested;
    return data_fetch(flags->name, flags->data_dir, options);
  });

  Command info = add("info", "Describe a data set, or a file of series and its parts",
                     "unroll data info mnist");
  info.option("name", flags->name,
              fmt::format("{}, a folder, or a file ({})", fmt::join(names, ", "),
                          fmt::join(data::series_endings(), ", ")))
      .required()
      .file("NAME")
      .offers(names);
  const auto series = std::make_shared<TrainFlags>();
  series->add_group(info, train::Group::series);
  info.flag("--json", flags->json, "One line of JSON");
  info.set_work([flags, series] {
    const train::Config config = series->resolve({{"dataset", flags->name}}).config;
    if (!data::source_traits(flags->name).series)
      return data_info(flags->name, flags->data_dir, flags->json);
    const auto source = data::open_source(flags->name, train::source_options(config));
    print_series_info(*source, flags->json);
    tell_note(*source);
    return +kOk;
  });
}

}  // namespace unroll::app
