// The order in which training takes the samples of a source.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/source.h"
#include "unroll/core/random.h"

namespace unroll::data {

struct SamplerOptions {
  std::int64_t batch_size = 1;
  bool shuffle = false;
  /// Batches in a bucket; only samples with lengths have buckets.
  std::int64_t bucket_batches = 100;
  std::optional<std::uint64_t> draw_seed = {};  ///< seed of Pick::draw; nullopt: all are 0
};

/// Cuts passes through a part of a source into batches. With `shuffle`, each pass draws a new order
/// as PyTorch's DataLoader does. The last batch may be smaller. An endless part is taken in order,
/// and nothing is drawn.
///
/// Samples with lengths come in batches of similar lengths. The order is cut into buckets of
/// bucket_batches batches. Each bucket is sorted by length, ascending. Then the batches of all
/// buckets are put into an order of their own.
///
/// Draws for augmentation come from a separate random sequence. After the first passes, nothing is
/// allocated.
class Sampler {
 public:
  /// For `size` samples with these lengths, which must outlive the sampler. Empty: all lengths are
  /// equal.
  Sampler(std::int64_t size, std::span<const std::int64_t> lengths, const SamplerOptions& options);
  /// Replaces size and lengths. Takes effect with the next begin() or resume().
  void set_samples(std::int64_t size, std::span<const std::int64_t> lengths = {});

  std::int64_t batches() const;  ///< the number of batches in a pass

  void begin(Generator& generator);  ///< starts a pass
  /// The samples of a batch of this pass. Every call draws for augmentation. Valid until the next
  /// call.
  std::span<const Pick> picks(std::int64_t batch);

  std::uint64_t order_seed() const { return order_seed_; }  ///< seed of this pass's order
  const Generator& draws() const { return draws_; }         ///< source of Pick::draw

  /// The batch of a step. Call it for step 1, 2, 3 and so on. Starts passes as needed.
  std::span<const Pick> next(std::int64_t step, Generator& generator);

  /// The place of the last batch that next() returned.
  struct Position {
    bool begun = false;            ///< false before the first batch, and for an endless part
    std::uint64_t order_seed = 0;  ///< seed of the pass's order; meaningless without `shuffle`
    std::int64_t first = 0;        ///< samples of the pass before the batch, or all of them
    Generator draws{0};            ///< makes the next Pick::draw
  };
  void position(Position& to) const;  ///< allocates nothing
  /// Continues after the batch at `position`: next() returns the batch that follows. Makes the
  /// pass's order again; `rng` is the kind of the generator that drew it. Throws ValueError if no
  /// batch starts there.
  void resume(const Position& position, Rng rng);

 private:
  void arrange(Rng rng);  // makes the pass's order from order_seed_
  void sort_buckets();

  SamplerOptions options_;
  std::int64_t size_;
  std::span<const std::int64_t> lengths_;
  std::int64_t batch_ = 0;  // the last one that next() returned
  bool begun_ = false;
  std::uint64_t order_seed_ = 0;
  Generator draws_;
  std::optional<Generator> shuffler_;
  std::vector<std::int64_t> order_;    // order of the samples; empty: ascending
  std::vector<std::int64_t> batches_;  // order of the batches; empty: ascending
  struct Ranked {
    std::int64_t length, rank, sample;
  };
  std::vector<Ranked> ranked_;
  std::vector<Pick> picks_;  // the samples of one batch
};

/// A position as JSON, for a checkpoint. Empty before the first batch.
std::string to_json(const Sampler::Position& position);
/// Reads what to_json() wrote. Throws FormatError for any other text.
Sampler::Position position_from(std::string_view json);

}  // namespace unroll::data
