#include "data/image_inputs.h"

#include <fmt/format.h>

#include "unroll/core/error.h"
#include "unroll/core/random.h"

namespace unroll::data {
namespace {

// The native generator's streams 0 and 1 initialise, shuffle and shift.
constexpr std::uint64_t kPermutationStream = 2;

void check_image_inputs(const spec::ImageInput& input, std::int64_t rows, std::int64_t columns) {
  const auto refuse = [&](const std::string& why) {
    throw ShapeError("eval", fmt::format("images of {}x{} {}", rows, columns, why));
  };
  if (input.form == spec::Form::rows && columns != input.width)
    refuse(fmt::format("have {} pixels a row, the model reads {}", columns, input.width));
  if (input.form == spec::Form::image && (rows != input.height || columns != input.width))
    refuse(fmt::format("don't fit, the model reads {}x{}", input.height, input.width));
  if ((input.form == spec::Form::flat || input.permutation) &&
      rows * columns != input.height * input.width)
    refuse(fmt::format("have {} pixels, the model reads {}", rows * columns,
                       input.height * input.width));
}

}  // namespace

ImageInputs::ImageInputs(const spec::ImageInput& input, std::int64_t rows, std::int64_t columns)
    : input_(input),
      rows_(rows),
      columns_(columns),
      pixels_(rows * columns),
      steps_(input.form == spec::Form::rows     ? rows
             : input.form == spec::Form::pixels ? pixels_
                                                : 1) {
  check_image_inputs(input, rows, columns);
  if (input.permutation)
    order_ = Generator(*input.permutation, Rng::native, kPermutationStream).permutation(pixels_);
}

Shape ImageInputs::shape(std::int64_t count) const {
  if (input_.is_sequence()) return {count, steps_, pixels_ / steps_};
  if (input_.form == spec::Form::flat) return {count, pixels_};
  return {count, 1, rows_, columns_};
}

void ImageInputs::permute(std::span<float> pixels) const {
  if (order_.empty()) return;
  const std::vector<float> from(pixels.begin(), pixels.end());
  for (std::size_t at = 0; at < order_.size(); ++at)
    pixels[at] = from[static_cast<std::size_t>(order_[at])];
}

}  // namespace unroll::data
