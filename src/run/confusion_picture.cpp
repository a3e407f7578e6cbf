#include "run/confusion_picture.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "unroll/core/error.h"

namespace unroll::run {
namespace {

constexpr int kWhite = 0, kDarkest = 254, kGrid = 255;

using Palette = std::array<png_byte, 3 * 256>;

/// From light to dark blue; ColorBrewer's "Blues", with pure white for no sample.
Palette make_palette() {
  constexpr int kStops[][3] = {{231, 240, 250}, {198, 219, 239}, {158, 202, 225}, {107, 174, 214},
                               {66, 146, 198},  {33, 113, 181},  {8, 81, 156},    {8, 48, 107}};
  constexpr int kParts = 7;
  Palette palette{};
  const auto set = [&](int level, int channel, int value) {
    palette[static_cast<std::size_t>(3 * level + channel)] = static_cast<png_byte>(value);
  };
  for (int channel = 0; channel < 3; ++channel) {
    set(kWhite, channel, 255);
    set(kGrid, channel, 190);
    for (int level = 1; level <= kDarkest; ++level) {
      const int at = (level - 1) * kParts, part = std::min(at / (kDarkest - 1), kParts - 1);
      const int rest = at - part * (kDarkest - 1);
      const int from = kStops[part][channel], to = kStops[part + 1][channel];
      set(level, channel, from + (to - from) * rest / (kDarkest - 1));
    }
  }
  return palette;
}

png_byte level_of(std::int64_t count, std::int64_t total) {
  if (count == 0) return kWhite;
  const double share = static_cast<double>(count) / static_cast<double>(total);
  return static_cast<png_byte>(1 + std::lround((kDarkest - 1) * std::sqrt(share)));
}

std::string png_of(const std::vector<png_byte>& pixels, std::int64_t size) {
  static const Palette palette = make_palette();
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<png_uint_32>(size);
  image.format = PNG_FORMAT_RGB_COLORMAP;
  image.colormap_entries = 256;
  std::string png(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t bytes = png.size();
  if (png_image_write_to_memory(&image, png.data(), &bytes, 0, pixels.data(), 0, palette.data()) ==
      0)
    throw ValueError("tensorboard", std::string("no picture of the confusion matrix: ") +
                                        static_cast<const char*>(image.message));
  png.resize(bytes);
  return png;
}

}  // namespace

Picture confusion_picture(const train::ConfusionMatrix& confusion) {
  constexpr std::int64_t kSide = 480, kSmallest = 4, kHasGrid = 12;
  const std::int64_t classes = confusion.classes, cell = std::max(kSmallest, kSide / classes);
  const std::int64_t size = classes * cell, inside = cell >= kHasGrid ? cell - 1 : cell;
  std::vector<png_byte> pixels(static_cast<std::size_t>(size * size), kGrid);
  for (std::int64_t truth = 0; truth < classes; ++truth) {
    std::int64_t total = 0;
    for (std::int64_t c = 0; c < classes; ++c) total += confusion.at(truth, c);
    for (std::int64_t predicted = 0; predicted < classes; ++predicted) {
      const png_byte level = level_of(confusion.at(truth, predicted), total);
      for (std::int64_t row = 0; row < inside; ++row)
        std::fill_n(pixels.begin() + (truth * cell + row) * size + predicted * cell, inside, level);
    }
  }
  return {size, size, png_of(pixels, size)};
}

}  // namespace unroll::run
