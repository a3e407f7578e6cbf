#include "data/order.h"

#include <gtest/gtest.h>

namespace unroll::data {
namespace {

// torch.manual_seed(7)
// train = DataLoader(torch.arange(11), batch_size=4, shuffle=True)
// test = DataLoader(torch.arange(3), batch_size=4)
// for epoch in range(2): print(torch.cat(list(train)).tolist()); list(test)
// print(torch.empty((), dtype=torch.int64).random_().item())
TEST(Order, IsThatOfTorchsLoader) {
  using Order = std::vector<std::int64_t>;
  Generator generator(7, Rng::torch);
  EXPECT_EQ(shuffled_order(generator, 11), (Order{1, 6, 0, 10, 3, 4, 5, 7, 9, 2, 8}));
  unshuffled_pass(generator);
  EXPECT_EQ(shuffled_order(generator, 11), (Order{6, 9, 0, 10, 5, 3, 2, 1, 7, 8, 4}));
  unshuffled_pass(generator);
  EXPECT_EQ(generator.random_i64(), 20668929189138777);
}

TEST(Order, IsTheSameWithMemoryOfAPassBefore) {
  std::optional<Generator> own;
  std::vector<std::int64_t> order(11);
  for (const Rng rng : {Rng::torch, Rng::native, Rng::torch}) {
    Generator generator(7, rng), same(7, rng);
    for (int pass = 0; pass < 2; ++pass) {
      unshuffled_pass(generator);
      order_of(static_cast<std::uint64_t>(generator.random_i64()), rng, own, order);
      EXPECT_EQ(order, shuffled_order(same, 11));
    }
  }
}

}  // namespace
}  // namespace unroll::data
