// unroll data list|fetch|info
#pragma once

#include <string>

#include "app/download.h"

namespace unroll::app {

/// Prints every known data set and task: sizes, licence, and where it is. Never touches the
/// network. Returns the exit status.
int data_list(const std::string& data_dir, bool json);

/// Downloads what a known set lacks, into data_dir/NAME or, if `data_dir` is empty, the cache.
/// Only says where the set is if a complete one is found elsewhere, as in torchvision's layout.
/// Returns the exit status; throws what fetch_set() throws, ValueError for an unknown name,
/// and FileError if an incomplete set in UNROLL_DATA_DIR comes before the cache.
int data_fetch(const std::string& name, const std::string& data_dir,
               const DownloadOptions& options = {});

/// Prints what a set on this machine holds: a known set by name, or a folder. Never touches the
/// network. Returns the exit status; throws what load_sets() throws, and ValueError for a task.
int data_info(const std::string& name_or_folder, const std::string& data_dir, bool json = false);

}  // namespace unroll::app
