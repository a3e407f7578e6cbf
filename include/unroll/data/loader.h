// Mini-batches of a data set.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "unroll/core/api.h"
#include "unroll/core/random.h"
#include "unroll/data/dataset.h"
#include "unroll/tensor/tensor.h"

namespace unroll::data {

class Sampler;

/// Scaling of pixels: (pixel / 255 - mean) / std, computed in f32.
struct Normalization {
  double mean = 0, std = 1;
};

/// The f32 value for each of the 256 pixel values. Throws ValueError unless mean is finite and std
/// > 0.
UNROLL_API std::array<float, 256> pixel_values(const Normalization& normalization);

struct LoaderOptions {
  std::int64_t batch_size = 1;
  bool shuffle = false;
  Normalization normalization = {};
  DType dtype = DType::f32;
  /// Moves every image by up to this many pixels in x and in y, drawn uniformly each time.
  /// Background fills the gap.
  int shift = 0;
  std::uint64_t shift_seed = 0;    ///< seed of the shifts
  Generator* generator = nullptr;  ///< for shuffling; default_generator() if null
};

/// One batch; structured bindings give `auto [images, labels]`.
struct Batch {
  Tensor images;  ///< (N, 1, rows, columns)
  Tensor labels;  ///< (N) of i64
};

/// Goes through a data set in batches; the last batch may be smaller. Every begin() starts a new
/// pass, with `shuffle` in a new order. It draws the same numbers from the generator as PyTorch's
/// DataLoader. The data set must outlive the loader and must not change during a pass.
/// Source: https://pytorch.org/docs/stable/data.html
class UNROLL_API Loader {
 public:
  /// Throws ValueError for a batch size below 1, and for a shift below 0 or larger than an image.
  /// As do begin() and resume(), throws ValueError for a data set without images, with fewer pixels
  /// or labels than its count and sizes need, or with a label that is not below `classes`.
  explicit Loader(const Dataset& dataset, const LoaderOptions& options = {});
  // would leave a dangling reference
  explicit Loader(Dataset&& dataset, const LoaderOptions& options = {}) = delete;
  Loader(const Loader&);
  Loader(Loader&&) noexcept;
  ~Loader();

  class Iterator {
   public:
    Batch operator*() const;
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return position_ != other.position_; }

   private:
    friend class Loader;
    Iterator(Loader* loader, std::int64_t position) : loader_(loader), position_(position) {}
    Loader* loader_;
    std::int64_t position_;  // of the batch's first sample, in the pass's order
  };

  Iterator begin();
  Iterator end() { return {this, dataset_.count}; }
  std::int64_t size() const;  ///< number of batches in a pass

  /// A batch's place in the current pass, for a checkpoint.
  struct Position {
    std::uint64_t order_seed = 0;  ///< seed of the pass's order; unused without `shuffle`
    std::int64_t first = 0;        ///< position of the batch's first sample in the order
    Generator shifts{0};           ///< draws the shifts
  };
  Position position(const Iterator& at) const;
  void position(const Iterator& at, Position& to) const;  ///< the same; allocates nothing
  /// Continues a pass, instead of begin(), at a position() of a loader with the same options. Load
  /// the generator's own state too, so that later passes continue as well. Throws ValueError for
  /// another position.
  Iterator resume(const Position& position);

  const Dataset& dataset() const { return dataset_; }

 private:
  Batch batch(std::int64_t first);
  Generator& generator() const;
  void prepare();

  const Dataset& dataset_;
  LoaderOptions options_;
  std::array<float, 256> values_;
  std::unique_ptr<Sampler> sampler_;
};

}  // namespace unroll::data
