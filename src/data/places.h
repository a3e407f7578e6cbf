// Where data sets are looked for.
#pragma once

#include <optional>
#include <string>

#include "data/catalogue.h"

namespace unroll::data {

/// $XDG_CACHE_HOME/unroll or ~/.cache/unroll; empty where the user has neither.
std::string cache_folder();

/// The folder of a known set. It is looked for in `data_dir` if given, else in UNROLL_DATA_DIR and
/// then in the cache: as NAME, or as torchvision lays it out (MNIST/raw). The first that holds any
/// of the files counts; nothing if none does.
std::optional<std::string> find_set_folder(const KnownSet& set, const std::string& data_dir);

/// The folder that holds the files of a set: `folder` itself, or torchvision's raw/ inside it.
std::string folder_of_files(const std::string& folder);

/// The path of a set's file in its folder: as published ("train-images-idx3-ubyte") or as Kaggle
/// calls it ("train-images.idx3-ubyte"), with .gz or without, also inside a folder of that name.
std::optional<std::string> find_set_file(const std::string& folder, const std::string& file);

/// The known set of this name, or the one whose training files the folder holds, as they were
/// published. nullptr for images of one's own, and for a folder that can't be read.
const KnownSet* known_set_in(const std::string& name_or_folder);

}  // namespace unroll::data
