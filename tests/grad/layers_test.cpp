// Every layer but the recurrent ones against finite differences.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "support/op_case.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/conv1d.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/embedding.h"
#include "unroll/nn/layer_norm.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/max_pool2d.h"

namespace unroll::nn {
namespace {

using test::Leaves;
using test::OpCase;

class Layer : public test::OpTest {};
TEST_P(Layer, GradientIsThatOfFiniteDifferences) { check(); }

const OpCase linears[] = {
    {"linear", {{5, 7}, {3, 7}, {3}}, [](const Leaves& x) { return linear(x[0], x[1], x[2]); }},
    {"no_bias", {{5, 7}, {3, 7}}, [](const Leaves& x) { return linear(x[0], x[1]); }},
    {"of_1d", {{7}, {3, 7}, {3}}, [](const Leaves& x) { return linear(x[0], x[1], x[2]); }},
    {"of_3d", {{2, 5, 7}, {3, 7}, {3}}, [](const Leaves& x) { return linear(x[0], x[1], x[2]); }},
    {"of_1_by_1", {{1, 1}, {1, 1}, {1}}, [](const Leaves& x) { return linear(x[0], x[1], x[2]); }},
    {"of_views",
     {{7, 5}, {7, 3}, {3}},
     [](const Leaves& x) {
       return linear(x[0].transpose(0, 1), x[1].transpose(0, 1), x[2] * 2.0);
     }},
};

const OpCase convolutions[] = {
    {"conv2d",
     {{2, 3, 5, 4}, {2, 3, 3, 3}, {2}},
     [](const Leaves& x) { return conv2d(x[0], x[1], x[2]); }},
    {"no_bias", {{2, 3, 5, 4}, {2, 3, 3, 3}}, [](const Leaves& x) { return conv2d(x[0], x[1]); }},
    {"padding",
     {{1, 2, 4, 5}, {3, 2, 3, 5}, {3}},
     [](const Leaves& x) {
       return conv2d(x[0], x[1], x[2], 1, {1, 2});
     }},
    // More padding than the kernel reaches: its gradient leaves out part of y's.
    {"wide_padding",
     {{1, 1, 2, 3}, {2, 1, 2, 2}, {2}},
     [](const Leaves& x) { return conv2d(x[0], x[1], x[2], 1, 3); }},
    {"stride",
     {{2, 2, 7, 6}, {2, 2, 3, 2}, {2}},
     [](const Leaves& x) { return conv2d(x[0], x[1], x[2], 2, 1); }},
    // Strides that leave rows and columns over, and between kernels.
    {"stride_of_two_sizes",
     {{1, 2, 7, 9}, {2, 2, 2, 3}, {2}},
     [](const Leaves& x) {
       return conv2d(x[0], x[1], x[2], {3, 4}, {0, 1});
     }},
    {"stride_in_height_only",
     {{1, 2, 6, 5}, {2, 2, 3, 3}, {2}},
     [](const Leaves& x) {
       return conv2d(x[0], x[1], x[2], {2, 1}, 1);
     }},
    {"stride_in_width_only",
     {{1, 2, 5, 6}, {2, 2, 3, 3}, {2}},
     [](const Leaves& x) {
       return conv2d(x[0], x[1], x[2], {1, 2}, 1);
     }},
    {"kernel_of_1",
     {{3, 4, 3, 2}, {5, 4, 1, 1}, {5}},
     [](const Leaves& x) { return conv2d(x[0], x[1], x[2]); }},
    {"kernel_as_large_as_the_image",
     {{2, 2, 3, 4}, {3, 2, 3, 4}, {3}},
     [](const Leaves& x) { return conv2d(x[0], x[1], x[2]); }},
    {"several_slices",
     {{17, 1, 3, 3}, {2, 1, 2, 2}, {2}},
     [](const Leaves& x) { return conv2d(x[0], x[1], x[2]); }},
    {"of_view",
     {{2, 5, 4, 3}, {2, 3, 3, 3}, {2}},
     [](const Leaves& x) {
       return conv2d(x[0].transpose(1, 3), x[1].transpose(2, 3), x[2] * 2.0).select(1, 1);
     }},
};

const OpCase step_convolutions[] = {
    {"conv1d",
     {{2, 5, 3}, {4, 3, 2}, {4}},
     [](const Leaves& x) { return conv1d(x[0], x[1], x[2], {.kernel = 2}); }},
    {"no_bias",
     {{2, 5, 3}, {4, 3, 2}},
     [](const Leaves& x) { return conv1d(x[0], x[1], {}, {.kernel = 2}); }},
    {"padding",
     {{2, 3, 2}, {3, 2, 5}, {3}},
     [](const Leaves& x) { return conv1d(x[0], x[1], x[2], {.kernel = 5, .padding = 2}); }},
    {"wide_padding",
     {{1, 2, 2}, {3, 2, 2}, {3}},
     [](const Leaves& x) { return conv1d(x[0], x[1], x[2], {.kernel = 2, .padding = 4}); }},
    {"causal",
     {{2, 4, 2}, {3, 2, 3}, {3}},
     [](const Leaves& x) { return conv1d(x[0], x[1], x[2], {.kernel = 3, .causal = true}); }},
    // Steps that are left over, and steps between windows.
    {"stride",
     {{3, 9, 2}, {3, 2, 2}, {3}},
     [](const Leaves& x) {
       return conv1d(x[0], x[1], x[2], {.kernel = 2, .stride = 3, .padding = 1});
     }},
    {"dilation",
     {{2, 8, 2}, {3, 2, 3}, {3}},
     [](const Leaves& x) {
       return conv1d(x[0], x[1], x[2], {.kernel = 3, .stride = 2, .dilation = 2, .causal = true});
     }},
    {"groups",
     {{2, 6, 4}, {6, 2, 3}, {6}},
     [](const Leaves& x) {
       return conv1d(x[0], x[1], x[2], {.kernel = 3, .stride = 2, .padding = 1}, 2);
     }},
    {"depthwise",
     {{2, 6, 3}, {3, 1, 2}, {3}},
     [](const Leaves& x) { return conv1d(x[0], x[1], x[2], {.kernel = 2, .dilation = 3}, 3); }},
    {"lengths",
     {{3, 7, 2}, {3, 2, 3}, {3}},
     [](const Leaves& x) {
       return conv1d(x[0], x[1], x[2], {.kernel = 3, .stride = 2, .padding = 1}, 1,
                     std::vector<std::int64_t>{3, 7, 1});
     }},
    {"several_slices",
     {{33, 3, 1}, {2, 1, 2}, {2}},
     [](const Leaves& x) { return conv1d(x[0], x[1], x[2], {.kernel = 2}); }},
    {"of_view",
     {{3, 5, 2}, {4, 2, 3}, {4}},
     [](const Leaves& x) {
       return conv1d(x[0].transpose(0, 2), x[1].transpose(1, 2), x[2] * 2.0, {.kernel = 2})
           .select(1, 1);
     }},
};

const OpCase poolings[] = {
    {"max_pool2d", {{2, 3, 4, 6}}, [](const Leaves& x) { return max_pool2d(x[0], 2); }},
    {"leaves_some_over",
     {{1, 2, 5, 7}},
     [](const Leaves& x) {
       return max_pool2d(x[0], {2, 3});
     }},
    {"overlapping",
     {{1, 2, 5, 6}},
     [](const Leaves& x) { return max_pool2d(x[0], 3, {.stride = 1}); }},
    {"padding",
     {{1, 2, 5, 6}},
     [](const Leaves& x) {
       return max_pool2d(x[0], {3, 2}, {.stride = 2, .padding = 1});
     }},
    {"of_view",
     {{2, 4, 4, 3}},
     [](const Leaves& x) { return max_pool2d(x[0].transpose(1, 3), 2).select(2, 1); }},
};

Tensor indices() { return Tensor::from(std::vector<std::int64_t>{2, 0, 2, 3, 1, 2}, {2, 3}); }
Tensor mask() { return Tensor::from(std::vector<double>{1, 0, 1, 1, 0, 0, 1, 1}, {2, 4}); }

const OpCase others[] = {
    {"embedding", {{5, 3}}, [](const Leaves& x) { return embedding(indices(), x[0]); }},
    {"embedding_of_view",
     {{3, 5}},
     [](const Leaves& x) { return embedding(indices(), x[0].transpose(0, 1)).select(0, 1); }},
    {"layer_norm",
     {{3, 5}, {5}, {5}},
     [](const Leaves& x) { return layer_norm(x[0], {5}, x[1], x[2]); }},
    {"layer_norm_plain", {{3, 5}}, [](const Leaves& x) { return layer_norm(x[0], {5}); }},
    {"layer_norm_no_bias",
     {{3, 5}, {5}},
     [](const Leaves& x) { return layer_norm(x[0], {5}, x[1]); }},
    {"layer_norm_of_two_dimensions",
     {{2, 3, 4}, {3, 4}, {3, 4}},
     [](const Leaves& x) {
       return layer_norm(x[0], {3, 4}, x[1], x[2], 0.1);
     }},
    {"layer_norm_of_many_columns",
     {{2, 70}, {70}, {70}},
     [](const Leaves& x) { return layer_norm(x[0], {70}, x[1], x[2]); }},
    {"layer_norm_of_view",
     {{5, 3}, {5}, {5}},
     [](const Leaves& x) {
       return layer_norm(x[0].transpose(0, 1), {5}, x[1], x[2]).select(0, 1);
     }},
    {"dropout", {{2, 4}}, [](const Leaves& x) { return dropout(x[0], mask(), 0.4); }},
    {"dropout_of_all", {{2, 4}}, [](const Leaves& x) { return dropout(x[0], mask(), 1); }},
};

INSTANTIATE_TEST_SUITE_P(Linear, Layer, ::testing::ValuesIn(linears), test::name_of_case);
INSTANTIATE_TEST_SUITE_P(Conv2d, Layer, ::testing::ValuesIn(convolutions), test::name_of_case);
INSTANTIATE_TEST_SUITE_P(Conv1d, Layer, ::testing::ValuesIn(step_convolutions), test::name_of_case);
INSTANTIATE_TEST_SUITE_P(MaxPool2d, Layer, ::testing::ValuesIn(poolings), test::name_of_case);
INSTANTIATE_TEST_SUITE_P(Other, Layer, ::testing::ValuesIn(others), test::name_of_case);

TEST(Embedding, PaddingHasNoGradient) {
  Tensor weight = test::leaf_of({4, 3}, 1);
  sum(embedding(indices(), weight, -2)).backward();
  EXPECT_EQ(weight.grad().to_vector(), (std::vector<double>{1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1}));
}

}  // namespace
}  // namespace unroll::nn
