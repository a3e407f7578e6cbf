#include "support/small_set.h"

#include <array>
#include <random>

#include "unit/data/idx_files.h"

namespace unroll::test {
namespace {

constexpr unsigned classes = 10, side = 28, block = 4, blocks = side / block;

// std::mt19937 gives the same numbers everywhere.
std::string images_of(unsigned count, unsigned seed) {
  std::mt19937 pattern(0), noise(seed);
  std::array<bool, classes * blocks * blocks> inked;
  for (bool& ink : inked) ink = pattern() % 2 == 0;
  std::string bytes = idx_header({count, side, side});
  for (unsigned i = 0; i < count; ++i)
    for (unsigned r = 0; r < side; ++r)
      for (unsigned c = 0; c < side; ++c) {
        const bool ink = inked[(i % classes * blocks + r / block) * blocks + c / block];
        bytes += static_cast<char>((ink ? 48 : 0) + noise() % 200);
      }
  return bytes;
}

}  // namespace

std::string write_small_set(const TemporaryFolder& folder, const std::string& name) {
  folder.write(name + "/" + train_images, images_of(300, 1));
  folder.write(name + "/" + train_labels, idx_labels(300));
  folder.write(name + "/" + test_images, images_of(100, 2));
  folder.write(name + "/" + test_labels, idx_labels(100));
  return folder / name;
}

}  // namespace unroll::test
