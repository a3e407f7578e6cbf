// MNIST and the sets in its format: where they are looked for, and reading them.
#pragma once

#include <string>

#include "unroll/core/api.h"
#include "unroll/data/dataset.h"

namespace unroll::data {

struct MnistOptions {
  std::string name = "mnist";  ///< "mnist", "fashion-mnist" or "kmnist"
  /// A folder holding mnist/, fashion-mnist/, ... with the four files, gzip or raw. Empty: the
  /// folder that the variable UNROLL_DATA_DIR names, then the user's cache ($XDG_CACHE_HOME/unroll
  /// or
  /// ~/.cache/unroll). The first place that holds any of the set's files is used: a bad file there
  /// is an error, never a reason to look further.
  std::string data_dir = {};
};

/// Opens one split: 60000 or 10000 images of 28x28 for MNIST. Never touches the network.
///
/// Throws FileError naming `unroll data fetch NAME` where the set is missing; FormatError for a
/// file that is damaged, swapped with another or of another known set; ShapeError for images of
/// other than 28x28 or none; ValueError for a name that is not known. Other content than published
/// is accepted (`published` is false then), as long as it is a well-formed set. Source: LeCun,
/// Cortes, Burges, "The MNIST database of handwritten digits".
UNROLL_API Dataset mnist(Split split, const MnistOptions& options = {});

/// The same from one folder that holds the four files itself; images may have any size. It is named
/// after the known set that it holds, else after the folder.
UNROLL_API Dataset open_folder(Split split, const std::string& folder);

}  // namespace unroll::data
