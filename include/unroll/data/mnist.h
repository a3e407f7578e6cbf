// MNIST and data sets in its format: where they are searched for, and how to read them.
#pragma once

#include <string>

#include "unroll/core/api.h"
#include "unroll/data/dataset.h"

namespace unroll::data {

struct MnistOptions {
  std::string name = "mnist";  ///< "mnist", "fashion-mnist" or "kmnist"
  /// A folder that holds mnist/, fashion-mnist/, ... with the four files, gzip or raw. Empty: the
  /// folder in the environment variable UNROLL_DATA_DIR, then the user's cache
  /// ($XDG_CACHE_HOME/unroll or ~/.cache/unroll). The first place with any of the files is used. A
  /// bad file there is an error, and no other place is tried.
  std::string data_dir = {};
};

/// Reads one split: 60000 or 10000 images of 28x28 for MNIST. Never uses the network.
///
/// Well-formed files with other content than the published one are accepted; `published` is then
/// false.
///
/// Throws FileError, naming `unroll data fetch NAME`, if the data set is missing; FormatError for a
/// file that is damaged, swapped with another or from another known data set; ShapeError for no
/// images or another size than 28x28; ValueError for an unknown name. Source: LeCun, Cortes,
/// Burges, "The MNIST database of handwritten digits".
UNROLL_API Dataset mnist(Split split, const MnistOptions& options = {});

/// Reads one split from a folder that holds the four files itself. Images may have any size.
/// Dataset::name names the known data set in the folder. For other images it is the folder's name.
UNROLL_API Dataset open_folder(Split split, const std::string& folder);

}  // namespace unroll::data
