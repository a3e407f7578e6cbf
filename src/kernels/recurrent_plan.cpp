#include <algorithm>
#include <bit>

#include "kernels/recurrent.h"
#include "kernels/recurrent_slices.h"

namespace unroll::kernels {
namespace {

// Enough rows to use each weight several times while it is in a register, few enough that a batch
// of 100 makes 8 slices.
constexpr std::size_t kSliceRows = 8;
// A slice's own gradient block of one layer stays in a core's second-level cache up to here.
constexpr std::size_t kOwnGradient = std::size_t{1} << 16;  // elements

std::size_t whole_lines(std::size_t size) { return (size + 15) / 16 * 16; }

}  // namespace

std::size_t padded_row(std::size_t size) noexcept {
  const std::size_t lines = whole_lines(size) / 16;
  return 16 * (lines % 8 == 0 ? lines + 1 : lines);
}

RecurrentPlan::RecurrentPlan(const RecurrentShape& shape) {
  // A power of two, so that the tree of gradients is complete.
  slices = std::bit_floor(std::max<std::size_t>(shape.batch / kSliceRows, 1));
  row_stride = padded_row(shape.hidden);
  packed_size = 0;
  std::size_t widest = 0;
  for (std::size_t l = 0; l < shape.layers; ++l) {
    packed_size += packed_layer_size(shape, l, row_stride);
    widest = std::max(widest, shape.input_of(l) + shape.hidden);
  }
  gradient_size = gradient_layout(shape, shape.layers).weight_ih;
  gradient_sum = shape.hidden * widest <= kOwnGradient ? GradientSum::slices : GradientSum::tiles;
  gradient_blocks = gradient_sum == GradientSum::slices ? slices : 1;
  backward_scratch = BackwardScratch(shape, row_stride).size;
}

GradientLayout gradient_layout(const RecurrentShape& shape, std::size_t layer) {
  std::size_t start = 0;
  GradientLayout at{};
  for (std::size_t l = 0; l <= layer; ++l) {
    const std::size_t inputs = shape.input_of(l);
    at.weight_ih = start;
    at.weight_hh = at.weight_ih + whole_lines(shape.hidden * inputs);
    at.bias = at.weight_hh + whole_lines(shape.hidden * shape.hidden);
    start = at.bias + (shape.bias ? whole_lines(shape.hidden) : 0);
    const bool transposed = inputs < shape.hidden;
    at.ih_row = transposed ? 1 : inputs;
    at.ih_column = transposed ? shape.hidden : 1;
  }
  return at;
}

BackwardScratch::BackwardScratch(const RecurrentShape& shape, std::size_t row_stride) {
  const std::size_t sequence = shape.steps * shape.batch * row_stride;
  dz = 0;
  from_above = dz + sequence;
  start = from_above + (shape.layers > 1 ? sequence : 0);
  weights = start + shape.batch * row_stride;
  size = weights;
  for (std::size_t l = 0; l < shape.layers; ++l)
    size += shape.hidden * (row_stride + padded_row(shape.input_of(l)));
}

}  // namespace unroll::kernels
