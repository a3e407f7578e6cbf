// The part of a batch that this thread works on, for operations that sum over rows or draw masks.
#pragma once

#include <cstddef>

#include "core/shards.h"

namespace unroll {

struct BatchPart {
  Shards shards;  ///< of the rows that the operations see
  /// Time steps of all sequences of the whole batch together; 0 if all have the same number.
  std::size_t steps = 0;
};

/// While it lives, operations of this thread know that their rows are this part. The part must
/// outlive it.
class WithBatchPart {
 public:
  explicit WithBatchPart(const BatchPart& part);
  ~WithBatchPart();
  WithBatchPart(const WithBatchPart&) = delete;
  WithBatchPart& operator=(const WithBatchPart&) = delete;

 private:
  const BatchPart* before_;
};

/// The part of this thread; null if nobody named one. Then the rows of an operation are a whole
/// batch.
const BatchPart* batch_part() noexcept;

/// The shards of an operation on `rows` rows. If they are a multiple of the rows of this thread's
/// part, such as the time steps of its sequences, they have its shards. Otherwise they are a whole
/// batch of their own.
Shards shards_of(std::size_t rows) noexcept;

}  // namespace unroll
