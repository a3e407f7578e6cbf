#include "data/order.h"

namespace unroll::data {

std::vector<std::int64_t> shuffled_order(Generator& generator, std::int64_t n) {
  unshuffled_pass(generator);
  const auto seed = static_cast<std::uint64_t>(generator.random_i64());
  return Generator(seed, generator.rng()).permutation(n);
}

void unshuffled_pass(Generator& generator) { generator.random_i64(); }

}  // namespace unroll::data
