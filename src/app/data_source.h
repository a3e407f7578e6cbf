// The data that a command of the program works on: a known set by name, or a folder.
#pragma once

#include <string>
#include <vector>

#include "app/download.h"
#include "data/catalogue.h"
#include "data/image_source.h"

namespace unroll::app {

struct LoadOptions {
  std::string data_dir = {};   ///< as in data::MnistOptions; if given, nothing is downloaded
  bool allow_download = true;  ///< into the cache, if the set is nowhere on this machine
  /// When MNIST can't be downloaded: Debian's copy of Fashion-MNIST, loudly.
  bool allow_fashion_fallback = false;
  std::string fashion_folder = "/usr/share/datasets/fashion-mnist";
  std::vector<std::string> mirrors = {};  ///< empty: the published ones
  DownloadOptions download = {};
};

/// Both splits of a known set ("mnist"; a name wins over a folder called so) or of a folder with
/// the four files. Images of both have the same size. No network while the set is on this machine.
/// Throws what data::mnist() and download() throw; ShapeError where train and test differ in size.
data::ImageSets load_sets(const std::string& name_or_folder, const LoadOptions& options = {});

/// Throws ValueError for a file whose ending says that it holds neither series nor images.
void refuse_other_file(const std::string& dataset);

/// Puts those of a set's four files into `folder` that it lacks or has damaged.
/// Throws what download() throws.
void fetch_set(const data::KnownSet& set, const std::string& folder,
               const std::vector<std::string>& mirrors, const DownloadOptions& options);

}  // namespace unroll::app
