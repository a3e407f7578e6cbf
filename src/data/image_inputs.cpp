#include "data/image_inputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/parallel.h"
#include "unroll/core/error.h"
#include "unroll/core/random.h"
#include "unroll/data/loader.h"

namespace unroll::data {
namespace {

// Of the native generator; the streams before it initialise, shuffle and shift.
constexpr std::uint64_t kPermutationStream = 2;

void check_image_inputs(const spec::ImageInput& input, std::int64_t rows, std::int64_t columns) {
  const auto refuse = [&](const std::string& why) {
    throw ShapeError("eval", fmt::format("images of {}x{} {}", rows, columns, why));
  };
  if (input.form == spec::Form::rows && columns != input.width)
    refuse(fmt::format("have {} pixels a row, the model reads {}", columns, input.width));
  if (input.form == spec::Form::image && (rows != input.height || columns != input.width))
    refuse(fmt::format("given, the model reads {}x{}", input.height, input.width));
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
                                                : 1),
      values_(pixel_values({input.mean, input.std})) {
  check_image_inputs(input, rows, columns);
  if (input.permutation)
    order_ = Generator(*input.permutation, Rng::native, kPermutationStream).permutation(pixels_);
}

template <class T>
void ImageInputs::fill(const Dataset& set, std::int64_t first, std::span<T> inputs) const {
  std::array<T, 256> values{};
  std::ranges::copy(values_, values.begin());
  const std::uint8_t* const pixels = set.image(first);
  const auto size = static_cast<std::size_t>(pixels_);
  constexpr std::size_t kPiece = 16 * 1024;
  parallel_pieces(inputs.size(), kPiece, [&](std::size_t begin, std::size_t end) {
    if (order_.empty()) {
      for (std::size_t i = begin; i < end; ++i) inputs[i] = values[pixels[i]];
    } else {
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t at = i % size;
        inputs[i] = values[pixels[i - at + static_cast<std::size_t>(order_[at])]];
      }
    }
  });
}

void ImageInputs::permute(std::span<float> pixels) const {
  if (order_.empty()) return;
  const std::vector<float> from(pixels.begin(), pixels.end());
  for (std::size_t at = 0; at < order_.size(); ++at)
    pixels[at] = from[static_cast<std::size_t>(order_[at])];
}

template void ImageInputs::fill(const Dataset&, std::int64_t, std::span<float>) const;
template void ImageInputs::fill(const Dataset&, std::int64_t, std::span<double>) const;

}  // namespace unroll::data
