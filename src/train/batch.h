// The batch of one training step, and the parts in which it is walked.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/batch_part.h"
#include "data/source.h"
#include "train/config.h"

namespace unroll::train {

/// The most rows that training walks at once, out of a batch with `rows` rows.
std::int64_t rows_at_once(const Config& config, std::int64_t rows);

/// A batch is read whole, then cut. Reading it again reuses its memory.
class Batch {
 public:
  explicit Batch(const Config& config) : config_(config) {}

  /// Reads the picked training samples. Sequences of different lengths are put in order first: the
  /// longest in front, equal ones as they were picked.
  void read(const data::Source& source, std::span<const data::Pick> picks);

  const data::Examples& examples() const { return examples_; }
  const Tensor& inputs() const { return examples_.inputs; }
  const Tensor& targets() const { return examples_.targets; }
  std::span<const BatchPart> parts() const { return parts_; }
  /// The lengths of a part's sequences; empty if all are equal.
  std::span<const std::int64_t> lengths(std::size_t part) const;

 private:
  const Config& config_;
  std::vector<data::Pick> picks_;
  std::vector<std::int64_t> lengths_, order_;  // of the picks
  data::Examples examples_;
  std::vector<BatchPart> parts_;
};

}  // namespace unroll::train
