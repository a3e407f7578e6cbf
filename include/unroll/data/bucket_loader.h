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

/// Sequences of I features per step, one after the other in memory. They have labels to classify,
/// or targets, which are M numbers.
struct Sequences {
  std::int64_t features = 1;          ///< I
  std::vector<std::int64_t> lengths;  ///< T_k of each sequence, at least 1
  std::vector<float> values;          ///< (sum of T_k, I)
  std::vector<std::int64_t> labels;   ///< one for each sequence or step; empty if there are targets

  bool every_step = false;          ///< labels or targets belong to steps, not to sequences
  std::int64_t target_size = 1;     ///< M
  std::vector<float> targets = {};  ///< (count, M), or (sum of T_k, M) at every step

  std::int64_t count() const { return static_cast<std::int64_t>(lengths.size()); }
};

struct BucketOptions {
  std::int64_t batch_size = 1;
  /// Batches in a bucket. More batches waste less padding; fewer mix the lengths better.
  std::int64_t bucket_batches = 100;
  bool shuffle = false;
  DType dtype = DType::f32;
  Generator* generator = nullptr;  ///< for shuffling; default_generator() if null
};

/// One batch; structured bindings give `auto [inputs, lengths, labels]`.
struct PaddedBatch {
  Tensor inputs;   ///< (N, T, I), T is the longest length; 0 past a sequence's end
  Tensor lengths;  ///< (N) of i64, ascending
  /// Labels of i64: (N), or (N, T) at every step, with no_target past a sequence's end. For
  /// sequences with targets, these in the type of `inputs`: (N, M), or (N, T, M) at every step,
  /// padded with 0.
  Tensor labels;
};

/// Goes through sequences in batches of similar lengths. A pass takes the sequences in their order,
/// or with `shuffle` in a new random order:
///
/// 1. It cuts them into buckets of bucket_batches batches.
/// 2. It sorts each bucket by length and cuts it into batches.
/// 3. It gives out the batches of all buckets, with `shuffle` in a random order.
///
/// Every sequence comes once. At most one batch of a pass is smaller than batch_size. The order is
/// not PyTorch's; Loader, for images, has PyTorch's order.
///
/// Within a bucket lengths ascend from batch to batch. So its padding is at most batch_size
/// (longest - shortest) steps: in a full bucket (longest - shortest) / bucket_batches steps per
/// sequence.
///
/// A pass draws as much from the generator as a pass of Loader. The sequences must outlive the
/// loader and must not change during a pass. Source: torchtext.legacy.data.BucketIterator, which
/// buckets the same way.
class UNROLL_API BucketLoader {
 public:
  /// Throws ValueError for a batch or bucket size below 1, no sequences, or a length below 1;
  /// ShapeError if lengths, values, and labels or targets don't fit together. begin() and resume()
  /// do so too.
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
    std::int64_t index_;  // number of the batch in this pass
  };

  Iterator begin();
  Iterator end() const { return {this, size()}; }
  std::int64_t size() const;  ///< number of batches in a pass

  /// A batch's place in the current pass, for a checkpoint.
  struct Position {
    std::uint64_t order_seed = 0;  ///< seed of the pass's order; unused without `shuffle`
    std::int64_t batch = 0;        ///< number of the batch, from 0
  };
  Position position(const Iterator& at) const;
  /// Continues a pass, instead of begin(), at a position() of a loader with the same options. Load
  /// the generator's own state too, so that later passes continue as well. Throws ValueError for
  /// another position.
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
