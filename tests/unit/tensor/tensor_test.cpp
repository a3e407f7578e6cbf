#include "unroll/tensor/tensor.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll {
namespace {

using test::error_of;
using Values = std::vector<double>;

/// 0, 1, 2, ... of this shape.
Tensor counting(const Shape& shape, DType dtype = DType::f64) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  return Tensor::from(values, shape).to(dtype);
}

TEST(Tensor, Made) {
  EXPECT_EQ(Tensor::zeros({2, 2}).to_vector(), Values(4, 0));
  EXPECT_EQ(Tensor::full({3}, 1.5, DType::f64).to_vector(), Values(3, 1.5));
  EXPECT_EQ(Tensor::full({2}, 7, DType::i64).values<std::int64_t>()[1], 7);
  const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(x.dtype(), DType::f32);
  EXPECT_EQ(x.shape(), (Shape{2, 3}));
  EXPECT_EQ(x.size(-1), 3);
  EXPECT_EQ(x.stride(0), 3);
  EXPECT_EQ(x.data<float>()[4], 5);
  EXPECT_EQ(Tensor::empty({0, 4}).numel(), 0);
  EXPECT_EQ(Tensor::full({}, 3).item(), 3);
}

TEST(Tensor, WrongNumberOfValuesIsRefused) {
  EXPECT_EQ(error_of<ShapeError>([] {
              Tensor::from(std::vector<float>{1, 2}, {3});
            }),
            "[tensor] 2 values given for shape [3], expected 3");
}

TEST(Tensor, ImpossibleShapesAreRefusedBeforeAllocating) {
  EXPECT_EQ(error_of<ShapeError>([] {
              Tensor::empty({-1, 2});
            }),
            "[tensor] shape [-1, 2] is impossible, expected sizes of at least 0 and a product that "
            "fits in memory");
  EXPECT_THROW(Tensor::empty({std::int64_t{1} << 40, std::int64_t{1} << 40}), ShapeError);
  EXPECT_THROW(Tensor::zeros({std::numeric_limits<std::int64_t>::max()}), ShapeError);
}

TEST(Tensor, UndefinedOneIsNamed) {
  const Tensor none;
  EXPECT_FALSE(none.defined());
  EXPECT_FALSE(none.requires_grad());
  EXPECT_FALSE(none.grad().defined());
  const std::string text = "[tensor] an undefined tensor was used; give it a value first";
  EXPECT_EQ(error_of<ShapeError>([&] { none.shape(); }), text);
  EXPECT_EQ(error_of<ShapeError>([&] { none.stride(0); }), text);
  EXPECT_EQ(error_of<ShapeError>([&] { none.item(); }), text);
  EXPECT_EQ(error_of<ShapeError>([&] { none.view({1}); }), text);
  EXPECT_EQ(error_of<ShapeError>([&] { none.detach(); }), text);
  EXPECT_EQ(error_of<ShapeError>([&] { none.to(DType::f64); }), text);
}

TEST(Tensor, ItemIsTheOnlyElement) {
  EXPECT_EQ(Tensor::full({1, 1}, 2.5).item(), 2.5);
  EXPECT_EQ(counting({2, 3}).select(0, 1).select(0, 2).item(), 5);
  EXPECT_EQ(error_of<ShapeError>([] { Tensor::zeros({2}).item(); }),
            "[item] a tensor of shape [2] has 2 elements, expected 1");
}

TEST(Tensor, AnotherTypesDataIsRefused) {
  EXPECT_EQ(
      error_of<ShapeError>([] { Tensor::zeros({2}).data<double>(); }),
      "[tensor] the tensor holds f32, but its data was asked for as f64; convert it with to()");
}

TEST(Tensor, ToConverts) {
  const Tensor x = Tensor::from(std::vector<double>{1.5, -2, 1 + 0x1p-30}, {3});
  EXPECT_EQ(x.to(DType::f32).to_vector(), (Values{1.5, -2, 1}));
  EXPECT_EQ(x.to(DType::i64).to_vector(), (Values{1, -2, 1}));
  EXPECT_EQ(x.to(DType::f64).data<double>(), x.data<double>());
  EXPECT_EQ(counting({2, 3}).transpose(0, 1).to(DType::f32).to_vector(),
            (Values{0, 3, 1, 4, 2, 5}));
}

TEST(Tensor, CopiesShareMemoryAndClonesDoNot) {
  const Tensor x = counting({3}), shared = x, cloned = x.clone();
  x.data<double>()[0] = 9;
  EXPECT_EQ(shared.to_vector()[0], 9);
  EXPECT_EQ(x.detach().to_vector()[0], 9);
  EXPECT_EQ(cloned.to_vector()[0], 0);
}

TEST(View, OfOtherSizes) {
  const Tensor x = counting({2, 6});
  EXPECT_EQ(x.view({3, 4}).shape(), (Shape{3, 4}));
  EXPECT_EQ(x.view({-1}).shape(), Shape{12});
  EXPECT_EQ(x.view({2, -1, 3}).shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(x.view({12, 1}).data<double>(), x.data<double>());
  EXPECT_EQ(counting({1}).view({}).shape(), Shape{});
  EXPECT_EQ(Tensor::zeros({0, 3}).view({-1, 3}).shape(), (Shape{0, 3}));
}

TEST(View, ImpossibleSizesAreRefused) {
  const Tensor x = counting({2, 3});
  EXPECT_EQ(error_of<ShapeError>([&] {
              x.view({4, 2});
            }),
            "[view] a tensor of shape [2, 3] has 6 elements, which do not fit shape [4, 2]");
  for (const Shape& shape : {Shape{-1, 4}, Shape{-1, -1}, Shape{-2, -3}, Shape{-1, -1, -1},
                             Shape{-1, 0}, Shape{0}, Shape{}, Shape{-6}})
    EXPECT_THROW(x.view(shape), ShapeError) << shape.str();
  const Tensor none = Tensor::zeros({0});
  const std::int64_t half = std::int64_t{1} << 32;
  for (const Shape& shape : {Shape{-1, 0}, Shape{half, half}, Shape{-1, half, half}})
    EXPECT_THROW(none.view(shape), ShapeError) << shape.str();
}

TEST(View, NeedsAdjacentElements) {
  EXPECT_EQ(error_of<ShapeError>([] {
              counting({2, 3}).transpose(0, 1).view({6});
            }),
            "[view] the elements of this view of shape [3, 2] are not adjacent; call contiguous() "
            "first");
  EXPECT_EQ(error_of<ShapeError>([] {
              counting({2, 3}).transpose(0, 1).values<double>();
            }),
            "[tensor] the elements of this view of shape [3, 2] are not adjacent; call "
            "contiguous() first");
  EXPECT_EQ(counting({2, 3}).transpose(0, 1).contiguous().view({6}).to_vector(),
            (Values{0, 3, 1, 4, 2, 5}));
}

TEST(Select, TakesASlice) {
  const Tensor x = counting({2, 3, 4});
  EXPECT_EQ(x.select(0, 1).to_vector(), (Values{12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}));
  EXPECT_EQ(x.select(1, 2).to_vector(), (Values{8, 9, 10, 11, 20, 21, 22, 23}));
  EXPECT_EQ(x.select(2, 0).to_vector(), (Values{0, 4, 8, 12, 16, 20}));
  EXPECT_EQ(x.select(2, 0).shape(), (Shape{2, 3}));
}

TEST(Select, NegativeCountsFromTheEnd) {
  const Tensor x = counting({2, 3});
  EXPECT_EQ(x.select(1, -1).to_vector(), (Values{2, 5}));
  EXPECT_EQ(x.select(-1, -3).to_vector(), (Values{0, 3}));
  EXPECT_EQ(x.select(-2, 1).to_vector(), (Values{3, 4, 5}));
}

TEST(Select, OutsideIsRefused) {
  const Tensor x = counting({2, 3});
  EXPECT_EQ(error_of<ShapeError>([&] { x.select(1, 3); }),
            "[select] index 3 of dimension 1 in a tensor of shape [2, 3]; expected -3 to 2");
  EXPECT_THROW(x.select(1, -4), ShapeError);
  EXPECT_EQ(error_of<ShapeError>([&] { x.select(2, 0); }),
            "[select] dimension 2 of a tensor of shape [2, 3]; expected -2 to 1");
  EXPECT_THROW(x.select(-3, 0), ShapeError);
  EXPECT_THROW(Tensor::zeros({0}).select(0, 0), ShapeError);
  EXPECT_THROW(Tensor::full({}, 1).select(0, 0), ShapeError);
}

TEST(Transpose, ExchangesSizesAndStrides) {
  const Tensor x = counting({2, 3, 4}), y = x.transpose(0, -1);
  EXPECT_EQ(y.shape(), (Shape{4, 3, 2}));
  EXPECT_EQ(y.stride(0), 1);
  EXPECT_EQ(y.stride(2), 12);
  EXPECT_FALSE(y.is_contiguous());
  EXPECT_EQ(y.select(0, 1).to_vector(), (Values{1, 13, 5, 17, 9, 21}));
  EXPECT_EQ(x.transpose(1, 1).to_vector(), x.to_vector());
  EXPECT_THROW(x.transpose(0, 3), ShapeError);
}

TEST(Transpose, OfASizeOfOneStaysContiguous) {
  EXPECT_TRUE(counting({1, 5}).transpose(0, 1).is_contiguous());
  EXPECT_TRUE(counting({2, 0, 3}).transpose(0, 2).is_contiguous());
}

}  // namespace
}  // namespace unroll
