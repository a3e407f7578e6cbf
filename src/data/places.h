// Where data sets are looked for.
#pragma once

#include <optional>
#include <string>

namespace unroll::data {

/// $XDG_CACHE_HOME/unroll or ~/.cache/unroll; empty where the user has neither.
std::string cache_folder();

/// The folder of the set `name`: data_dir/name if `data_dir` is given, else the first of
/// $UNROLL_DATA_DIR/name and cache_folder()/name that holds any of its files; nothing where none
/// does.
std::optional<std::string> find_set_folder(const std::string& name, const std::string& data_dir);

/// The path of a set's file in its folder: with .gz, or else without; nothing where there is none.
std::optional<std::string> find_set_file(const std::string& folder, const std::string& file);

}  // namespace unroll::data
