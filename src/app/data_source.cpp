#include "app/data_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/data_set_names.h"
#include "app/messages.h"
#include "core/list_text.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "data/idx.h"
#include "data/places.h"
#include "data/source_traits.h"
#include "unroll/core/error.h"
#include "unroll/data/mnist.h"

namespace unroll::app {
namespace {

bool as_published(const std::string& path, const data::KnownFile& file) {
  try {
    return data::is_as_published(file, path, data::read_idx(path, file.part).sha256);
  } catch (const Error&) {
    return false;
  }
}

// Where the cache lacks all or (after an interrupted download) some of the set, completes it.
void download_if_missing(const data::KnownSet& set, const LoadOptions& options) {
  if (!options.allow_download || !options.data_dir.empty() || data::cache_folder().empty()) return;
  const std::string cache = data::cache_folder() + "/" + set.name;
  const data::FoundSet found = data::find_set(set, "");
  if (found.complete() || (!found.folder.empty() && found.folder != cache)) return;
  fetch_set(set, cache, options.mirrors.empty() ? set.mirrors : options.mirrors, options.download);
}

data::ImageSets open_known(const data::KnownSet& set, const LoadOptions& options) {
  try {
    download_if_missing(set, options);
  } catch (const Unreachable& error) {
    std::error_code ignored;
    if (!options.allow_fashion_fallback ||
        !std::filesystem::exists(options.fashion_folder, ignored))
      throw;
    data::ImageSets sets = data::open_image_sets(options.fashion_folder);
    tell("{}\n", error.what());
    if (sets.train.name != set.name)
      tell("*** NOT {}: {} from {} takes its place. ***\n", set.title, printable(sets.train.name),
           printable(options.fashion_folder));
    return sets;
  }
  const data::MnistOptions local{.name = set.name, .data_dir = options.data_dir};
  return {data::mnist(data::Split::train, local), data::mnist(data::Split::test, local)};
}

}  // namespace

void refuse_other_file(const std::string& dataset) {
  std::error_code ignored;
  const std::vector<std::string_view> names = data_set_names();
  if (data::source_traits(dataset).series || std::ranges::find(names, dataset) != names.end() ||
      !std::filesystem::is_regular_file(dataset, ignored))
    return;
  const bool array = dataset.ends_with(".npy");
  throw ValueError("data",
                   fmt::format("{} is a file of another kind, expected one that ends in {}{}",
                               printable(dataset), text_with_or(data::series_endings()),
                               array ? "; put inputs and targets into one file: "
                                       "numpy.savez(\"data.npz\", X=X, y=y)"
                                     : ""));
}

data::ImageSets load_sets(const std::string& name_or_folder, const LoadOptions& options) {
  const data::KnownSet* set = data::find_known_set(name_or_folder);
  std::error_code ignored;
  if (!set && !std::filesystem::is_directory(name_or_folder, ignored)) {
    refuse_other_file(name_or_folder);
    const std::vector<std::string_view> names = data_set_names();
    throw ValueError("data", fmt::format("\"{}\" is neither a known data set ({}) nor a folder{}; "
                                         "files of series end in {}",
                                         name_or_folder, fmt::join(names, ", "),
                                         did_you_mean(name_or_folder, names),
                                         text_with_or(data::series_endings())));
  }
  data::ImageSets sets = set ? open_known(*set, options) : data::open_image_sets(name_or_folder);
  if (sets.train.rows != sets.test.rows || sets.train.columns != sets.test.columns)
    throw ShapeError("data", fmt::format("{} has training images of {}x{} but test images of "
                                         "{}x{}; they must have the same size",
                                         sets.train.place, sets.train.rows, sets.train.columns,
                                         sets.test.rows, sets.test.columns));
  return sets;
}

void fetch_set(const data::KnownSet& set, const std::string& folder,
               const std::vector<std::string>& mirrors, const DownloadOptions& options) {
  // The smallest first: a folder that can't be written to shows at once.
  auto files = set.files;
  std::ranges::sort(files, {}, &data::KnownFile::size);
  for (const data::KnownFile& file : files) {
    if (const auto path = data::find_set_file(folder, file.name)) {
      if (as_published(*path, file)) continue;
      tell("{} isn't as published: fetching it anew\n", printable(*path));
    }
    std::vector<std::string> urls;
    for (const std::string& mirror : mirrors) urls.push_back(mirror + file.name + ".gz");
    download(urls, folder + "/" + file.name + ".gz", file.size, file.sha256, options);
  }
}

}  // namespace unroll::app
