#include "kernels/recurrent_layout.h"

#include <algorithm>
#include <array>

#include "kernels/places.h"

namespace unroll::kernels {
namespace {

/// The features of each operand of the weights' gradients.
std::array<std::size_t, 5> operand_features(const RecurrentShape& s) {
  return {Sums(s).products_end, s.input, s.output(), s.projection, s.projection ? s.hidden : 0};
}

}  // namespace

std::size_t padded_row(std::size_t size) noexcept {
  const std::size_t lines = whole_lines(size) / 16;
  return 16 * (lines % 8 == 0 ? lines + 1 : lines);
}

Panels panels_of(const RecurrentShape& s, std::size_t depth, std::size_t columns) {
  // Pairs for bf16 have their own layout.
  const std::size_t width = s.large() && !s.bf16 ? Panels::kWidth : padded_row(columns);
  return {width, depth * width};
}

TilePlan::TilePlan(const RecurrentShape& s) : shards(s.shards().count()) {
  // If the blocks of all shards stay in the last-level cache, short chunks are best: their operands
  // are still in the cache where backward left them. Larger blocks are written once, in one chunk.
  constexpr std::size_t kSmallBlocks = std::size_t{1} << 21;   // elements
  constexpr std::size_t kRows = 256;                           // of a shard
  constexpr std::size_t kMostOperands = std::size_t{1} << 22;  // elements
  const std::size_t all_blocks = shards * GradientLayout(s).size;
  std::size_t operands = 0;
  for (const std::size_t features : operand_features(s)) operands += s.steps * s.batch * features;
  if (all_blocks <= kSmallBlocks) {
    in_panels = false;
    chunks = s.steps * s.batch / (kRows * shards);
  } else {
    in_panels = !s.bf16;
    chunks = operands < all_blocks ? 1 : (operands + kMostOperands - 1) / kMostOperands;
  }
  chunks = std::clamp<std::size_t>(chunks, 1, std::max<std::size_t>(s.steps, 1));
  blocks = chunks == 1 && s.large() ? tree_slots(shards) : shards;
}

Sums::Sums(const RecurrentShape& s) {
  const CellTraits cell_traits = s.traits();
  const std::size_t joint = cell_traits.joint * s.hidden;
  gates = cell_traits.gates * s.hidden;
  both = s.layer_norm ? 0 : joint;
  input_end = gates;
  products_end = 2 * gates - both;
  cell = s.layer_norm ? products_end : 0;
  row = padded_row(cell + 2 * gates - joint);
  state_parts = 0;
  if (both > 0) state[state_parts++] = {0, 0, both};
  if (both < gates) state[state_parts++] = {input_end, both, gates - both};
}

PackedLayout::PackedLayout(const RecurrentShape& s) {
  const Sums sums(s);
  Places places;
  bias = places.next(padded_row(sums.products_end));
  panels = panels_of(s, s.input + s.output(), sums.gates);
  weight_ih = places.next(panels.size(sums.gates));
  weight_hh = weight_ih + s.input * panels.width;
  weight_hr = places.next(s.projection ? s.hidden * padded_row(s.projection) : 0);
  const std::size_t gate_factors = s.layer_norm ? sums.gates : 0,
                    memory_factors = s.layer_norm && s.traits().memory ? s.hidden : 0;
  norm_ih_weight = places.next(gate_factors);
  norm_ih_bias = places.next(gate_factors);
  norm_hh_weight = places.next(gate_factors);
  norm_hh_bias = places.next(gate_factors);
  norm_c_weight = places.next(memory_factors);
  norm_c_bias = places.next(memory_factors);
  // Products whose columns begin inside a vector read to the end of their last vector.
  constexpr std::size_t kVector = 16;
  pairs = places.next(s.bf16 ? pairs_size(s.input, panels.width) +
                                   pairs_size(s.output(), panels.width) + kVector
                             : 0);
  size = places.size();
}

SavedLayout::SavedLayout(const RecurrentShape& s, std::size_t slots) {
  const std::size_t rows = slots * s.batch;
  Places places;
  hidden_row = padded_row(s.hidden);
  output_row = padded_row(s.output());
  z = places.next(s.fused() ? 0 : rows * Sums(s).row);
  c = places.next(s.traits().memory ? rows * hidden_row : 0);
  unprojected = places.next(s.projection ? rows * hidden_row : 0);
  masked = places.next(s.state_dropout ? rows * output_row : 0);
  masked_0 = places.next(s.state_dropout ? s.batch * output_row : 0);
  statistics = places.next(s.layer_norm ? rows * kStatistics : 0);
  size = places.size();
}

ScratchLayout::ScratchLayout(const RecurrentShape& s) {
  const SavedLayout saved(s, 0);
  const Sums sums(s);
  const bool memory = s.traits().memory;
  const std::size_t output_rows = s.batch * saved.output_row,
                    hidden_rows = s.batch * saved.hidden_row;
  Places places;
  z = places.next(s.fused() ? s.steps * s.batch * sums.row : 0);
  dh = places.next(output_rows);
  dh_all = places.next(s.projection ? s.steps * output_rows : 0);
  dc = places.next(memory ? hidden_rows : 0);
  unprojected = places.next(s.projection ? hidden_rows : 0);
  kept_h = places.next(s.zoneout || s.state_dropout ? output_rows : 0);
  kept_c = places.next(s.zoneout && memory ? hidden_rows : 0);
  hh_panels = panels_of(s, sums.gates, s.output());
  ih_panels = panels_of(s, sums.gates, s.input);
  weight_hh = places.next(hh_panels.size(s.output()));
  weight_ih = places.next(ih_panels.size(s.input));
  weight_hr = places.next(s.projection * saved.hidden_row);
  const TilePlan tiles(s);
  const std::size_t chunk_rows = (s.steps + tiles.chunks - 1) / tiles.chunks * s.batch;
  const Panels of_chunk{Panels::kWidth, chunk_rows * Panels::kWidth};
  std::size_t chunk_size = 0;
  for (const std::size_t features : operand_features(s)) chunk_size += of_chunk.size(features);
  panels = places.next(tiles.in_panels ? chunk_size : 0);
  norm_size = s.layer_norm ? whole_lines(4 * sums.gates + (memory ? 2 * s.hidden : 0)) : 0;
  norm = places.next(s.shards().count() * norm_size);
  size = places.size();
}

std::size_t weight_size(const RecurrentShape& s, WeightRole role) noexcept {
  const std::size_t gates = s.gates() * s.hidden;
  switch (role) {
    case WeightRole::weight_ih:
      return gates * s.input;
    case WeightRole::weight_hh:
      return gates * s.output();
    case WeightRole::bias_ih:
    case WeightRole::bias_hh:
      return s.bias ? gates : 0;
    case WeightRole::weight_hr:
      return s.projection * s.hidden;
    case WeightRole::norm_c_weight:
    case WeightRole::norm_c_bias:
      return s.layer_norm && s.traits().memory ? s.hidden : 0;
    default:
      return s.layer_norm ? gates : 0;
  }
}

GradientLayout::GradientLayout(const RecurrentShape& s) {
  const Sums sums(s);
  Places places;
  using enum WeightRole;
  place[weight_ih] = places.next(sums.gates * s.input);
  place[weight_hh] = places.next(sums.gates * s.output());
  const bool biases = s.bias || s.layer_norm;
  place[bias_ih] = place[norm_ih_bias] = places.next(biases ? sums.gates : 0);
  place[bias_hh] = place[norm_hh_bias] =
      biases && sums.both < sums.gates ? places.next(sums.gates) : place[bias_ih];
  place[weight_hr] = places.next(s.projection * s.hidden);
  const std::size_t gate_factors = s.layer_norm ? sums.gates : 0,
                    memory_factors = s.layer_norm && s.traits().memory ? s.hidden : 0;
  place[norm_ih_weight] = places.next(gate_factors);
  place[norm_hh_weight] = places.next(gate_factors);
  place[norm_c_weight] = places.next(memory_factors);
  place[norm_c_bias] = places.next(memory_factors);
  size = places.size();
  const bool transposed = s.input < s.hidden;
  ih_row = transposed ? 1 : s.input;
  ih_column = transposed ? sums.gates : 1;
}

RecurrentPlan::RecurrentPlan(const RecurrentShape& s) {
  packed_size = PackedLayout(s).size;
  gradient_size = GradientLayout(s).size;
  gradient_blocks = TilePlan(s).blocks;
  backward_scratch = ScratchLayout(s).size;
}

std::size_t RecurrentPlan::saved_size(const RecurrentShape& s, std::size_t slots) const {
  return SavedLayout(s, slots).size;
}

}  // namespace unroll::kernels
