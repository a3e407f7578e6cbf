#include "data/places.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "data/catalogue.h"

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
  // The XDG specification has relative paths ignored.
  if (const std::string cache = variable("XDG_CACHE_HOME"); cache.starts_with('/'))
    return cache + "/unroll";
  const std::string home = variable("HOME");
  return home.empty() ? "" : home + "/.cache/unroll";
}

std::optional<std::string> find_set_folder(const std::string& name, const std::string& data_dir) {
  std::vector<std::string> places{data_dir};
  if (data_dir.empty()) places = {variable("UNROLL_DATA_DIR"), cache_folder()};
  for (const std::string& place : places)
    if (!place.empty() && holds_a_set(place + "/" + name)) return place + "/" + name;
  return std::nullopt;
}

std::optional<std::string> find_set_file(const std::string& folder, const std::string& file) {
  for (const char* suffix : {".gz", ""}) {
    const std::string path = folder + "/" + file + suffix;
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return std::nullopt;
}

}  // namespace unroll::data
