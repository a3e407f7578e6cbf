#include "data/places.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "data/idx.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool holds_a_set(const std::string& folder) {
  for (const Split split : {Split::train, Split::test})
    for (const Part part : {Part::images, Part::labels})
      if (find_set_file(folder, file_name(split, part))) return true;
  return false;
}

}  // namespace

std::string cache_folder() {
  // The XDG specification says that relative paths are ignored.
  if (const std::string cache = variable("XDG_CACHE_HOME"); cache.starts_with('/'))
    return cache + "/unroll";
  const std::string home = variable("HOME");
  return home.empty() ? "" : home + "/.cache/unroll";
}

std::optional<std::string> find_set_folder(const KnownSet& set, const std::string& data_dir) {
  std::vector<std::string> places{data_dir};
  if (data_dir.empty()) places = {variable("UNROLL_DATA_DIR"), cache_folder()};
  for (const std::string& place : places)
    for (const std::string& name : {set.name, set.torchvision + "/raw"})
      if (!place.empty() && holds_a_set(place + "/" + name)) return place + "/" + name;
  return std::nullopt;
}

FoundSet find_set(const KnownSet& set, const std::string& data_dir) {
  const auto folder = find_set_folder(set, data_dir);
  if (!folder) return {};
  const auto is_there = [&](const KnownFile& file) {
    return find_set_file(*folder, file.name).has_value();
  };
  return {*folder, static_cast<std::size_t>(std::ranges::count_if(set.files, is_there))};
}

std::string folder_of_files(const std::string& folder) {
  const std::string raw = folder + "/raw";
  return !holds_a_set(folder) && holds_a_set(raw) ? raw : folder;
}

std::optional<std::string> find_set_file(const std::string& folder, const std::string& file) {
  std::string dotted = file;
  dotted.replace(dotted.find("-idx"), 1, ".");
  for (const std::string& name : {file, dotted})
    for (const std::string& path : {name + ".gz", name, name + "/" + name}) {
      const std::string whole = folder + "/" + path;
      std::error_code ignored;
      const std::filesystem::file_status status = std::filesystem::status(whole, ignored);
      if (std::filesystem::exists(status) && !std::filesystem::is_directory(status)) return whole;
    }
  return std::nullopt;
}

const KnownSet* known_set_in(const std::string& name_or_folder) {
  if (const KnownSet* set = find_known_set(name_or_folder)) return set;
  if (name_or_folder.empty()) return nullptr;
  const auto set_of = [folder = folder_of_files(name_or_folder)](Part part) -> const KnownSet* {
    const auto path = find_set_file(folder, file_name(Split::train, part));
    if (!path) return nullptr;
    const Identity known = identify(*path, read_idx(*path, part).sha256);
    return known.file && known.file->split == Split::train ? known.set : nullptr;
  };
  try {
    // Labels first: their file is small, and differs in most other sets.
    const KnownSet* const set = set_of(Part::labels);
    return set && set_of(Part::images) == set ? set : nullptr;
  } catch (const Error&) {
    return nullptr;  // opening the folder later names the error
  }
}

}  // namespace unroll::data
