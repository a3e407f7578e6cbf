// The number of a storage's contents, for caches.
#include <gtest/gtest.h>

#include "tensor/tensor_impl.h"

namespace unroll {
namespace {

std::uint64_t version_of(const Tensor& tensor) { return tensor.impl()->storage->version(); }

TEST(Version, StaysWhileNobodyWrites) {
  const Tensor x = Tensor::full({2, 3}, 1);
  const std::uint64_t version = version_of(x);
  EXPECT_NE(version, 0u);
  x.clone();
  x.to_vector();
  x.to(DType::f64);
  x.transpose(0, 1).contiguous();
  x.select(0, 1).select(0, 2).item();
  EXPECT_EQ(version_of(x), version);
  EXPECT_EQ(version_of(x.detach().select(0, 1)), version);
}

TEST(Version, IsNewAfterEveryWrite) {
  const Tensor x = Tensor::full({2}, 1), one = Tensor::full({2}, 1);
  const std::uint64_t first = version_of(x);
  copy_into(x, one);
  const std::uint64_t second = version_of(x);
  EXPECT_NE(second, first);
  add_into(x.detach(), one);
  EXPECT_NE(version_of(x), second);
  EXPECT_NE(version_of(x), first);
}

TEST(Version, IsNeverThatOfAnotherStorage) {
  std::uint64_t last = 0;
  for (int i = 0; i < 3; ++i) {  // each at the address of the one before
    const Tensor x = Tensor::zeros({2});
    EXPECT_NE(version_of(x), last);
    last = version_of(x);
  }
}

TEST(Version, IsUnknownForeverOnceAPointerWasHandedOut) {
  for (const bool span : {false, true}) {
    const Tensor x = Tensor::zeros({2});
    const Tensor view = x.detach();
    if (span)
      view.values<float>();
    else
      view.data<float>();
    EXPECT_EQ(version_of(x), 0u);
    copy_into(x, Tensor::zeros({2}));
    EXPECT_EQ(version_of(x), 0u);
  }
}

}  // namespace
}  // namespace unroll
