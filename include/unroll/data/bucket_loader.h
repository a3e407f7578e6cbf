// Mini-batches of sequences of different lengths.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "unroll/core/api.h"
#include "unroll/core/random.h"
#include "unroll/tensor/tensor.h"

namespace unroll::data {

class Sampler;

/// Labelled sequences of I features a step, one behind the other in memory.
struct Sequences {
  std::int64_t features = 1;          ///< I
  std::vector<std::int64_t> lengths;  ///< T_k of each sequence, at least 1
  std::vector<float> values;          ///< (sum of T_k, I)
  std::vector<std::int64_t> labels;   ///< one of each sequence

  std::int64_t count() const { return static_cast<std::int64_t>(lengths.size()); }
};

struct BucketOptions {
  std::int64_t batch_size = 1;
  /// Batches in a bucket. More of them waste less padding, fewer mix the lengths better.
  std::int64_t bucket_batches = 100;
  bool shuffle = false;
  DType dtype = DType::f32;
  Generator* generator = nullptr;  ///< what shuffles; default_generator() where null
};

/// One batch; structured bindings give `auto [inputs, lengths, labels]`.
struct PaddedBatch {
  Tensor inputs;   ///< (N, T, I), T the longest length; 0 behind a sequence's end
  Tensor lengths;  ///< (N) of i64, none shorter than the one before
  Tensor labels;   ///< (N) of i64
};

/// Goes through sequences in batches of similar lengths. Where Loader is for images, which all have
/// one size, and visits them in PyTorch's order, this one chooses the order itself: a pass cuts the
/// sequences (with `shuffle` in a new random order) into buckets of bucket_batches batches, sorts
/// each bucket by length, cuts it into batches, and gives out the batches of all buckets (with
/// `shuffle` in a random order). Every sequence comes once; only one batch of a pass may be smaller
/// than batch_size.
///
/// Within a bucket every batch is at least as long as the one before, so that a bucket's padding is
/// at most batch_size (longest - shortest) steps: over a full bucket (longest - shortest) /
/// bucket_batches steps for a sequence.
///
/// A pass draws from the generator what a pass of Loader draws. The sequences must outlive the
/// loader, and stay as they are during a pass. Source: torchtext.legacy.data.BucketIterator, which
/// buckets the same way.
class UNROLL_API BucketLoader {
 public:
  /// Throws ValueError for a batch or bucket size below 1, no sequences, or a length below 1;
  /// ShapeError where lengths, values and labels don't fit together. So do begin() and resume().
  explicit BucketLoader(const Sequences& sequences, const BucketOptions& options = {});
  explicit BucketLoader(Sequences&& sequences, const BucketOptions& options = {}) = delete;
  BucketLoader(const BucketLoader&);
  BucketLoader(BucketLoader&&) noexcept;
  ~BucketLoader();

  class Iterator {
   public:
    PaddedBatch operator*() const { return loader_->batch(index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    friend class BucketLoader;
    Iterator(const BucketLoader* loader, std::int64_t index) : loader_(loader), index_(index) {}
    const BucketLoader* loader_;
    std::int64_t index_;  // of the batch in this pass
  };

  Iterator begin();
  Iterator end() const { return {this, size()}; }
  std::int64_t size() const;  ///< batches in a pass

  /// A batch's place in the pass that begin() began last, for a checkpoint.
  struct Position {
    std::uint64_t order_seed = 0;  ///< of the pass's order; of no meaning without `shuffle`
    std::int64_t batch = 0;        ///< counted from 0
  };
  Position position(const Iterator& at) const;
  /// Instead of begin(): what position() gave out, of a loader with the same options. The generator
  /// is as it was then, if its own state was loaded. Throws ValueError for another.
  Iterator resume(const Position& position);

 private:
  PaddedBatch batch(std::int64_t index) const;
  Generator& generator() const;
  void prepare();

  const Sequences& sequences_;
  BucketOptions options_;
  std::vector<std::int64_t> starts_;  // where each sequence starts, in steps
  std::unique_ptr<Sampler> sampler_;
};

}  // namespace unroll::data
