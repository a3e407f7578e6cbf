// unroll data fetch|info NAME
#pragma once

#include <string>

#include "app/download.h"

namespace unroll::app {

/// Downloads what a known set lacks, into data_dir/NAME or, where `data_dir` is empty, the cache.
/// Returns the exit status; throws what fetch_set() throws, ValueError for an unknown name.
int data_fetch(const std::string& name, const std::string& data_dir,
               const DownloadOptions& options = {});

/// Prints what a set on this machine holds to stdout: a known set by name, or a folder. Never
/// touches the network. Returns the exit status; throws what load_sets() throws.
int data_info(const std::string& name_or_folder, const std::string& data_dir);

}  // namespace unroll::app
