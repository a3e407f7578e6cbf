#include "nn/outputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "nn/lengths.h"
#include "unroll/core/error.h"

namespace unroll::nn {

Outputs outputs_of(std::string_view operation, const Tensor& output, const BatchLayout& layout) {
  if (output.rank() != 3 || output.numel() == 0)
    throw ShapeError(
        operation, fmt::format("output has shape {}, expected [{}, features]", output.shape().str(),
                               layout.batch_first ? "batch, steps" : "steps, batch"));
  const Tensor y = output.stride(2) == 1 ? output.detach() : output.detach().contiguous();
  const Outputs outputs{steps_first(y, layout.batch_first),
                        Tensor::empty({output.size(layout.batch_first ? 0 : 1)}, DType::i64)};
  const std::int64_t steps = outputs.y.size(0);
  check_lengths(operation, layout.lengths, outputs.y.size(1), steps);
  const auto lengths = outputs.lengths.values<std::int64_t>();
  if (layout.lengths.empty())
    std::ranges::fill(lengths, steps);
  else
    std::ranges::copy(layout.lengths, lengths.begin());
  return outputs;
}

}  // namespace unroll::nn
