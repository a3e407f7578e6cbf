#include "train/batch.h"

#include <algorithm>
#include <numeric>

#include "nn/batch_gradient.h"
#include "nn/lengths.h"

namespace unroll::train {
namespace {

/// Cuts a batch as the settings say. `steps`: see BatchPart.
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
    lengths_.resize(picks.size());
    order_.resize(picks.size());
    std::ranges::transform(picks, lengths_.begin(), [&](const data::Pick& pick) {
      return lengths[static_cast<std::size_t>(pick.index)];
    });
    nn::longest_first(lengths_, order_);
    std::ranges::transform(order_, picks_.begin(),
                           [&](std::int64_t i) { return picks[static_cast<std::size_t>(i)]; });
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
