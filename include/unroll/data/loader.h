// Mini-batches of a dataset.
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

/// What pixels become: (pixel / 255 - mean) / std, computed in f32.
struct Normalization {
  double mean = 0, std = 1;
};

/// The f32 value of each of the 256 pixels. Throws ValueError unless mean is finite and std > 0.
UNROLL_API std::array<float, 256> pixel_values(const Normalization& normalization);

struct LoaderOptions {
  std::int64_t batch_size = 1;
  bool shuffle = false;
  Normalization normalization = {};
  DType dtype = DType::f32;
  /// Moves every image by up to this many pixels in x and in y, drawn uniformly and afresh each
  /// time; background comes in.
  int shift = 0;
  std::uint64_t shift_seed = 0;    ///< with `shift`, for a random sequence of its own
  Generator* generator = nullptr;  ///< what shuffles; default_generator() where null
};

/// One batch; structured bindings give `auto [images, labels]`.
struct Batch {
  Tensor images;  ///< (N, 1, rows, columns)
  Tensor labels;  ///< (N) of i64
};

/// Goes through a dataset in batches, the last of which may be smaller. Every begin() starts a new
/// pass, in a new order with `shuffle`, drawing from the generator what PyTorch's DataLoader draws.
/// The dataset must outlive the loader, and stay as it is during a pass.
/// Source: https://pytorch.org/docs/stable/data.html
class UNROLL_API Loader {
 public:
  /// Throws ValueError for a batch size below 1, for a shift below 0 or larger than an image, and,
  /// as begin() and resume() do, for a set without images, with fewer pixels or labels than its
  /// count and size say, or with a label that is not below its classes.
  explicit Loader(const Dataset& dataset, const LoaderOptions& options = {});
  explicit Loader(Dataset&& dataset, const LoaderOptions& options = {}) = delete;  // would dangle
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
    std::int64_t position_;  // of the batch's first sample in the order
  };

  Iterator begin();
  Iterator end() { return {this, dataset_.count}; }
  std::int64_t size() const;  ///< batches in a pass

  /// A batch's place in the pass that begin() began last, for a checkpoint.
  struct Position {
    std::uint64_t order_seed = 0;  ///< of the pass's order; of no meaning without `shuffle`
    std::int64_t first = 0;        ///< the batch's first sample in the order
    Generator shifts{0};           ///< draws the shifts
  };
  Position position(const Iterator& at) const;
  void position(const Iterator& at, Position& to) const;  ///< the same; asks for no memory
  /// Instead of begin(): what position() gave out, of a loader with the same options. The generator
  /// is as it was then, if its own state was loaded. Throws ValueError for another.
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
