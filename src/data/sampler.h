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
  std::optional<std::uint64_t> draw_seed = {};  ///< of Pick::draw; nothing: all are 0
};

/// Cuts passes through a part of a source into batches. A pass with `shuffle` draws a new order as
/// PyTorch's DataLoader does; the last batch may be smaller. Samples with lengths come in batches
/// of similar lengths: the order is cut into buckets of bucket_batches batches, each bucket is
/// sorted by length (ascending), and the batches of all buckets come in an order of their own. A
/// part without end is taken in order and draws nothing.
///
/// Draws for augmentation come from a random sequence of their own. After the first passes nothing
/// asks for memory.
class Sampler {
 public:
  /// For so many samples, with these lengths (empty: all are equal), which must outlive the
  /// sampler.
  Sampler(std::int64_t size, std::span<const std::int64_t> lengths, const SamplerOptions& options);
  /// The same for the next begin() or resume().
  void set_samples(std::int64_t size, std::span<const std::int64_t> lengths = {});

  std::int64_t batches() const;  ///< in a pass

  /// Starts a pass.
  void begin(Generator& generator);
  /// The samples of batch k of this pass; draws anew. Valid until the next call.
  std::span<const Pick> picks(std::int64_t batch);

  std::uint64_t order_seed() const { return order_seed_; }  ///< of this pass
  const Generator& draws() const { return draws_; }         ///< what Pick::draw comes from

  /// The batch of a step, from 1; asked for step after step. Starts passes as needed.
  std::span<const Pick> next(std::int64_t step, Generator& generator);

  /// The place of the batch that was given out last.
  struct Position {
    bool begun = false;  ///< false: before the first, or in a part where the step alone tells
    std::uint64_t order_seed = 0;  ///< of the pass's order; of no meaning without `shuffle`
    std::int64_t first = 0;        ///< samples of the pass before the batch, or all of them
    Generator draws{0};            ///< goes on with the next Pick::draw
  };
  void position(Position& to) const;  ///< asks for no memory
  /// Goes on behind that batch: what next() gives follows it. The pass's order is made again; the
  /// generator that drew it tells only its kind. Throws ValueError where no batch starts there.
  void resume(const Position& position, Rng rng);

 private:
  void arrange(Rng rng);  // the order of the pass that order_seed_ stands for
  void sort_buckets();

  SamplerOptions options_;
  std::int64_t size_;
  std::span<const std::int64_t> lengths_;
  std::int64_t batch_ = 0;  // given out last
  bool begun_ = false;
  std::uint64_t order_seed_ = 0;
  Generator draws_;
  std::optional<Generator> shuffler_;
  std::vector<std::int64_t> order_;    // of samples; empty: as they come
  std::vector<std::int64_t> batches_;  // the order of the batches; empty: as they come
  struct Ranked {
    std::int64_t length, rank, sample;
  };
  std::vector<Ranked> ranked_;
  std::vector<Pick> picks_;  // of one batch
};

/// A position as a checkpoint keeps it; empty before the first batch.
std::string to_json(const Sampler::Position& position);
/// Reads it. Throws FormatError for any other text.
Sampler::Position position_from(std::string_view json);

}  // namespace unroll::data
