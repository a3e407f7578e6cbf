#include "core/batch_part.h"

namespace unroll {
namespace {
thread_local const BatchPart* part_here = nullptr;
}

WithBatchPart::WithBatchPart(const BatchPart& part) : before_(part_here) { part_here = &part; }
WithBatchPart::~WithBatchPart() { part_here = before_; }

const BatchPart* batch_part() noexcept { return part_here; }

Shards shards_of(std::size_t rows) noexcept {
  const std::size_t here = part_here ? part_here->shards.rows() : 0;
  if (here == 0 || rows % here != 0) return Shards(rows);
  return part_here->shards.times(rows / here);
}

}  // namespace unroll
