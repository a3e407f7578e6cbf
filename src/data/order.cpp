#include "data/order.h"

namespace unroll::data {

std::vector<std::int64_t> shuffled_order(Generator& generator, std::int64_t n) {
  unshuffled_pass(generator);
  const auto seed = static_cast<std::uint64_t>(generator.random_i64());
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::optional<Generator> own;
  order_of(seed, generator.rng(), own, order);
  return order;
}

void order_of(std::uint64_t seed, Rng rng, std::optional<Generator>& own,
              std::span<std::int64_t> order) {
  if (own && own->rng() == rng)
    own->manual_seed(seed);
  else
    own.emplace(seed, rng);
  own->permutation(order);
}

void unshuffled_pass(Generator& generator) { generator.random_i64(); }

}  // namespace unroll::data
