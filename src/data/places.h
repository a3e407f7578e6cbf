// The folders in which data sets are searched.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "data/catalogue.h"

namespace unroll::data {

/// $XDG_CACHE_HOME/unroll or ~/.cache/unroll; empty if the user has neither.
std::string cache_folder();

/// The folder of a known set: the first that has any of its files; nullopt if none does. Searches
/// `data_dir` if it is given, otherwise UNROLL_DATA_DIR and then the cache. The folder is called
/// NAME, or as in torchvision (MNIST/raw).
std::optional<std::string> find_set_folder(const KnownSet& set, const std::string& data_dir);

/// Where a known set is, and how many of its four files are there.
struct FoundSet {
  std::string folder;  ///< empty: nowhere
  std::size_t files = 0;

  bool complete() const { return files == 4; }
};

/// Counts the files in the folder that find_set_folder() finds.
FoundSet find_set(const KnownSet& set, const std::string& data_dir);

/// The folder that holds the files of a set: `folder` itself, or torchvision's raw/ inside it.
std::string folder_of_files(const std::string& folder);

/// The path of a set's file in its folder: as published ("train-images-idx3-ubyte") or as Kaggle
/// calls it ("train-images.idx3-ubyte"), with .gz or without, also inside a folder of that name.
std::optional<std::string> find_set_file(const std::string& folder, const std::string& file);

/// The known set with this name, or the one whose published training files are in the folder.
/// nullptr for other images, and for a folder that can't be read.
const KnownSet* known_set_in(const std::string& name_or_folder);

}  // namespace unroll::data
