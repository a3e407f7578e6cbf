// Every layer but the recurrent ones against finite differences.
#include <gtest/gtest.h>

#include "support/op_case.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/linear.h"

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

INSTANTIATE_TEST_SUITE_P(Linear, Layer, ::testing::ValuesIn(linears), test::name_of_case);

}  // namespace
}  // namespace unroll::nn
