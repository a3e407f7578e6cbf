#include "unroll/data/mnist.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/printable.h"
#include "core/shell_word.h"
#include "data/catalogue.h"
#include "data/idx.h"
#include "data/places.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

std::string require_file(const std::string& folder, Split split, Part part, const KnownSet* set) {
  if (const auto path = find_set_file(folder, file_name(split, part))) return *path;
  throw FileError(
      "data",
      fmt::format("{} holds no {} (nor the same with .gz); {}", folder, file_name(split, part),
                  set ? fmt::format("get it with 'unroll data fetch {}'", set->name)
                      : "a set is four files: train-images-idx3-ubyte, train-labels-idx1-ubyte "
                        "and the same for t10k"));
}

// A known file must have the content that its name promises. `set` is null if any set will do.
void check_identity(const std::string& path, const Identity& known, const KnownSet* set,
                    Split split, Part part) {
  if (!known.set) return;
  if (set && known.set != set)
    throw FormatError("data",
                      fmt::format("{} belongs to {}, expected {}; put it into a folder of its own "
                                  "name",
                                  path, known.set->name, set->name));
  if (known.file->split != split || known.file->part != part)
    throw FormatError("data", fmt::format("{} holds the content of {}: are train and test files "
                                          "swapped?",
                                          path, known.file->name));
}

// Sets in MNIST's format have 60000 training and 10000 test images. A folder with the opposite
// numbers was put together wrongly; about other numbers nothing is known.
void check_not_swapped(const std::string& folder, Split split, std::int64_t count) {
  const std::int64_t usual = split == Split::train ? 60000 : 10000;
  if (count != 70000 - usual) return;
  const Split other = split == Split::train ? Split::test : Split::train;
  const auto path = find_set_file(folder, file_name(other, Part::images));
  if (!path || read_idx_shape(*path, Part::images).front() != usual) return;
  throw FormatError("data", fmt::format("{} has {} images as {} and {} as {}: train and test files "
                                        "look swapped",
                                        folder, count, file_name(split, Part::images), usual,
                                        file_name(other, Part::images)));
}

/// "digits" for digits/, and for digits/raw as torchvision has it.
std::string name_of_folder(const std::string& folder) {
  std::filesystem::path path = std::filesystem::canonical(folder);
  if (path.filename() == "raw" && path.parent_path().has_filename()) path = path.parent_path();
  return printable(path.filename().string());
}

Dataset open(Split split, const std::string& folder, const KnownSet* set) {
  const std::string images_path = require_file(folder, split, Part::images, set);
  const std::string labels_path = require_file(folder, split, Part::labels, set);
  Idx images = read_idx(images_path, Part::images);
  const Identity images_known = identify(images_path, images.sha256);
  check_identity(images_path, images_known, set, split, Part::images);
  check_not_swapped(folder, split, images.shape[0]);
  if (set && (images.shape[1] != set->rows || images.shape[2] != set->columns))
    throw ShapeError("data", fmt::format("{} has images of {}x{}, {} has {}x{}; is it the right "
                                         "file?",
                                         images_path, images.shape[1], images.shape[2], set->name,
                                         set->rows, set->columns));

  Idx labels = read_idx(labels_path, Part::labels);
  const Identity labels_known = identify(labels_path, labels.sha256);
  check_identity(labels_path, labels_known, set ? set : images_known.set, split, Part::labels);
  if (images.shape[0] != labels.shape[0])
    throw FormatError("data",
                      fmt::format("{} has {} images but {} has {} labels; the numbers must be "
                                  "equal, is one file of another split?",
                                  images_path, images.shape[0], labels_path, labels.shape[0]));
  Dataset dataset;
  // A known set has a known number of classes. Other labels determine it by their largest one.
  dataset.classes = set ? static_cast<int>(set->classes) : std::ranges::max(labels.values) + 1;
  const auto wrong = std::ranges::find_if(
      labels.values, [&](std::uint8_t label) { return label >= dataset.classes; });
  if (wrong != labels.values.end())
    throw FormatError(
        "data",
        fmt::format("{} has the label {} at index {}, expected 0 to {}; download it "
                    "again",
                    labels_path, *wrong, wrong - labels.values.begin(), dataset.classes - 1));

  dataset.published = images_known.set && labels_known.set;
  if (set || dataset.published)
    dataset.name = set ? set->name : images_known.set->name;
  else
    dataset.name = name_of_folder(folder);
  dataset.place = folder;
  dataset.images_sha256 = std::move(images.sha256);
  dataset.labels_sha256 = std::move(labels.sha256);
  dataset.count = images.shape[0];
  dataset.rows = images.shape[1];
  dataset.columns = images.shape[2];
  dataset.images = std::move(images.values);
  dataset.labels = std::move(labels.values);
  return dataset;
}

}  // namespace

Dataset mnist(Split split, const MnistOptions& options) {
  const KnownSet& set = known_set(options.name);
  const auto folder = find_set_folder(set, options.data_dir);
  if (folder) return open(split, *folder, &set);
  if (!options.data_dir.empty())
    throw FileError("data", fmt::format("{0}/{1} doesn't hold the set {1}; get it with 'unroll "
                                        "data fetch {1} --data-dir {2}'",
                                        options.data_dir, set.name, shell_word(options.data_dir)));
  throw FileError("data", fmt::format("{0} is neither in UNROLL_DATA_DIR nor in the cache ({1}); "
                                      "get it with 'unroll data fetch {0}'",
                                      set.name, cache_folder()));
}

Dataset open_folder(Split split, const std::string& folder) {
  return open(split, folder_of_files(folder), nullptr);
}

}  // namespace unroll::data
