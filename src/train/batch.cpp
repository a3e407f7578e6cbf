#include "train/batch.h"

#include <algorithm>
#include <numeric>

#include "nn/batch_gradient.h"

namespace unroll::train {
namespace {

/// `steps` is that of BatchPart.
void cut(const Config& config, std::int64_t rows, std::int64_t steps,
         std::vector<BatchPart>& parts) {
  const auto n = static_cast<std::size_t>(rows);
  const Shards shards =
      config.shards == 0 ? Shards(n) : Shards(n, static_cast<std::size_t>(config.shards));
  nn::cut({shards, static_cast<std::size_t>(steps)}, static_cast<std::size_t>(config.rows_at_once),
          parts);
}

}  // namespace

std::int64_t rows_at_once(const Config& config, std::int64_t rows) {
  std::vector<BatchPart> parts;
  cut(config, rows, 0, parts);
  std::size_t most = 0;
  for (const BatchPart& part : parts) most = std::max(most, part.shards.rows());
  return static_cast<std::int64_t>(most);
}

void Batch::read(const data::Source& source, std::span<const data::Pick> picks) {
  constexpr auto part = data::Split::train;
  picks_.assign(picks.begin(), picks.end());
  if (const auto lengths = source.lengths(part); !lengths.empty()) {
    const auto length = [&](std::size_t i) {
      return lengths[static_cast<std::size_t>(picks[i].index)];
    };
    order_.resize(picks.size());
    std::iota(order_.begin(), order_.end(), 0);
    // std::stable_sort would allocate.
    std::ranges::sort(order_, [&](std::size_t a, std::size_t b) {
      return length(a) != length(b) ? length(a) > length(b) : a < b;
    });
    std::ranges::transform(order_, picks_.begin(), [&](std::size_t i) { return picks[i]; });
  }
  source.batch(part, picks_, config_.dtype, examples_);
  const auto steps =
      std::accumulate(examples_.lengths.begin(), examples_.lengths.end(), std::int64_t{0});
  cut(config_, examples_.inputs.size(0), steps, parts_);
}

std::span<const std::int64_t> Batch::lengths(std::size_t part) const {
  const std::span<const std::int64_t> all = examples_.lengths;
  const Shards& shards = parts_[part].shards;
  return all.empty() ? all : all.subspan(shards.first_row(), shards.rows());
}

}  // namespace unroll::train
