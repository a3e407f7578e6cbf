// Every differentiable operation against finite differences.
#include "unroll/autograd/ops.h"

#include <gtest/gtest.h>

#include "support/op_case.h"
#include "unroll/nn/linear.h"

namespace unroll {
namespace {

using test::Leaves;
using test::OpCase;

class Op : public test::OpTest {};
TEST_P(Op, GradientIsThatOfFiniteDifferences) { check(); }

const OpCase arithmetic[] = {
    {"add", {{3, 4}, {3, 4}}, [](const Leaves& x) { return x[0] + x[1]; }},
    {"add_itself", {{3, 4}}, [](const Leaves& x) { return x[0] + x[0]; }},
    {"sub", {{3, 4}, {3, 4}}, [](const Leaves& x) { return x[0] - x[1]; }},
    {"mul", {{3, 4}, {3, 4}}, [](const Leaves& x) { return x[0] * x[1]; }},
    {"mul_itself", {{5}}, [](const Leaves& x) { return x[0] * x[0]; }},
    {"scale", {{3, 4}}, [](const Leaves& x) { return 1.75 * x[0] * -0.5; }},
    {"neg", {{3, 4}}, [](const Leaves& x) { return -x[0]; }},
    {"single_number", {{}, {}}, [](const Leaves& x) { return x[0] * x[1] - x[0]; }},
    {"rank_5", {{2, 1, 3, 1, 2}}, [](const Leaves& x) { return x[0] * x[0] * 0.5; }},
    {"relu", {{4, 5}}, [](const Leaves& x) { return relu(x[0]); }},
    {"tanh", {{4, 5}}, [](const Leaves& x) { return tanh(x[0]); }},
    {"sigmoid", {{4, 5}}, [](const Leaves& x) { return sigmoid(x[0]); }},
    {"symlog", {{4, 5}}, [](const Leaves& x) { return symlog(x[0]); }},
    {"sum", {{4, 5}}, [](const Leaves& x) { return sum(x[0]); }},
    {"sum_of_squares", {{4, 5}}, [](const Leaves& x) { return sum(x[0] * x[0]); }},
    {"mean", {{4, 5}}, [](const Leaves& x) { return mean(x[0] * x[0]); }},
    {"matmul", {{3, 5}, {5, 4}}, [](const Leaves& x) { return matmul(x[0], x[1]); }},
    {"matmul_1", {{1, 1}, {1, 1}}, [](const Leaves& x) { return matmul(x[0], x[1]); }},
    {"matmul_large", {{30, 9}, {9, 33}}, [](const Leaves& x) { return matmul(x[0], x[1]); }},
    {"matmul_transposed",
     {{5, 3}, {4, 5}},
     [](const Leaves& x) { return matmul(x[0].transpose(0, 1), x[1].transpose(0, 1)); }},
    {"cat_rows", {{3, 4}, {2, 4}}, [](const Leaves& x) { return cat(x[0], x[1], 0) * 2.0; }},
    {"cat_columns",
     {{3, 4}, {3, 2}},
     [](const Leaves& x) { return cat(x[0], x[1], -1) * cat(x[0], x[1], 1); }},
    {"cat_itself", {{2, 3, 2}}, [](const Leaves& x) { return cat(x[0], x[0], 1); }},
    {"softmax", {{4, 6}}, [](const Leaves& x) { return softmax(x[0]); }},
    {"softmax_1d", {{6}}, [](const Leaves& x) { return softmax(x[0]); }},
    {"softmax_3d", {{2, 3, 4}}, [](const Leaves& x) { return softmax(x[0]); }},
    {"softmax_one_class", {{3, 1}}, [](const Leaves& x) { return softmax(x[0]); }},
    {"log_softmax", {{4, 6}}, [](const Leaves& x) { return log_softmax(x[0]); }},
    {"log_softmax_1d", {{6}}, [](const Leaves& x) { return log_softmax(x[0]); }},
    {"log_softmax_3d", {{2, 3, 4}}, [](const Leaves& x) { return log_softmax(x[0]); }},
    {"log_softmax_one_class", {{3, 1}}, [](const Leaves& x) { return log_softmax(x[0]); }},
};

const OpCase views[] = {
    {"view",
     {{3, 4}},
     [](const Leaves& x) {
       return x[0].view({2, -1}) * x[0].view({2, 6});
     }},
    {"select", {{3, 4}}, [](const Leaves& x) { return x[0].select(0, 1) * x[0].select(0, -1); }},
    {"select_inner", {{3, 4, 2}}, [](const Leaves& x) { return x[0].select(1, 2); }},
    {"select_twice_the_same",
     {{3, 4}},
     [](const Leaves& x) { return x[0].select(1, 2) * x[0].select(1, 2); }},
    {"select_of_select", {{3, 4}}, [](const Leaves& x) { return x[0].select(0, 1).select(0, 3); }},
    {"select_and_whole",
     {{3, 4}},
     [](const Leaves& x) { return sum(x[0].select(0, 1)) + sum(x[0] * x[0]); }},
    {"whole_and_select",
     {{3, 4}},
     [](const Leaves& x) { return sum(x[0] * x[0]) + sum(x[0].select(0, 1)); }},
    {"select_along_two_dimensions",
     {{3, 3}},
     [](const Leaves& x) { return x[0].select(0, 1) * x[0].select(1, 1); }},
    // The part of a gradient goes through operations that keep it and others that do not.
    {"select_of_sum",
     {{3, 4}, {3, 4}},
     [](const Leaves& x) { return ((x[0] - x[1]) * 3.0 + x[1]).select(0, 2); }},
    {"select_of_product", {{3, 4}}, [](const Leaves& x) { return (x[0] * x[0]).select(1, 0); }},
    {"select_of_matmul",
     {{3, 4}, {4, 2}},
     [](const Leaves& x) { return matmul(x[0], x[1]).select(0, 2); }},
    {"select_of_log_softmax",
     {{3, 4}},
     [](const Leaves& x) { return log_softmax(x[0]).select(1, 1); }},
    {"select_of_relu_tanh",
     {{3, 4}},
     [](const Leaves& x) { return tanh(relu(x[0])).select(1, 1); }},
    {"select_of_transpose",
     {{3, 4}},
     [](const Leaves& x) { return x[0].transpose(0, 1).select(0, 3); }},
    {"select_of_view",
     {{3, 4}},
     [](const Leaves& x) {
       return x[0].view({4, 3}).select(0, 3);
     }},
    {"select_of_linear",
     {{3, 4}, {2, 4}, {2}},
     [](const Leaves& x) { return nn::linear(x[0], x[1], x[2]).select(0, 1); }},
    {"transpose", {{3, 4, 2}}, [](const Leaves& x) { return x[0].transpose(0, 2); }},
    {"transpose_negative", {{3, 4}}, [](const Leaves& x) { return x[0].transpose(-1, 0); }},
    {"contiguous",
     {{3, 4}},
     [](const Leaves& x) { return x[0].transpose(0, 1).contiguous().view({12}); }},
    {"contiguous_of_select",
     {{3, 4}},
     [](const Leaves& x) { return x[0].select(1, 1).contiguous(); }},
};

INSTANTIATE_TEST_SUITE_P(Arithmetic, Op, ::testing::ValuesIn(arithmetic), test::name_of_case);
INSTANTIATE_TEST_SUITE_P(Views, Op, ::testing::ValuesIn(views), test::name_of_case);

// The check itself must be able to fail.
TEST(GradientCheck, SeesAWrongGradient) {
  const Tensor x = test::leaf_of({3}, 1);
  // detach() hides half of the product from the tape.
  EXPECT_FALSE(test::gradients_agree([&] { return x * x.detach(); }, {x}));
  EXPECT_TRUE(test::gradients_agree([&] { return x * x; }, {x}));
  EXPECT_FALSE(test::gradients_agree([&] { return sum(x * x.detach()) * 1e-4 + sum(x); }, {x}));
}

}  // namespace
}  // namespace unroll
