// Every loss against finite differences.
#include <gtest/gtest.h>

#include "support/op_case.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/loss.h"

namespace unroll::nn {
namespace {

using test::Leaves;
using test::OpCase;

class Loss : public test::OpTest {};
TEST_P(Loss, GradientIsThatOfFiniteDifferences) { check(); }

Tensor target() { return Tensor::from(std::vector<std::int64_t>{2, 0, 4, 2}, {4}); }
Tensor with_ignored() { return Tensor::from(std::vector<std::int64_t>{2, -100, 4, 0}, {4}); }
Tensor weight() { return Tensor::from(std::vector<double>{0.5, 2, 0.25, 1, 3}, {5}); }

const OpCase of_classes[] = {
    {"cross_entropy", {{4, 5}}, [](const Leaves& x) { return cross_entropy(x[0], target()); }},
    {"sum",
     {{4, 5}},
     [](const Leaves& x) { return cross_entropy(x[0], target(), {.reduction = Reduction::sum}); }},
    {"none",
     {{4, 5}},
     [](const Leaves& x) { return cross_entropy(x[0], target(), {.reduction = Reduction::none}); }},
    {"of_view",
     {{5, 4}},
     [](const Leaves& x) { return cross_entropy(x[0].transpose(0, 1), target()); }},
    {"weight",
     {{4, 5}},
     [](const Leaves& x) { return cross_entropy(x[0], target(), {.weight = weight()}); }},
    {"ignored", {{4, 5}}, [](const Leaves& x) { return cross_entropy(x[0], with_ignored()); }},
    {"ignored_class",
     {{4, 5}},
     [](const Leaves& x) { return cross_entropy(x[0], target(), {.ignore_index = 2}); }},
    {"smoothing",
     {{4, 5}},
     [](const Leaves& x) { return cross_entropy(x[0], target(), {.label_smoothing = 0.3}); }},
    {"all_options",
     {{4, 5}},
     [](const Leaves& x) {
       return cross_entropy(x[0], with_ignored(), {.weight = weight(), .label_smoothing = 0.3});
     }},
    {"all_options_none",
     {{4, 5}},
     [](const Leaves& x) {
       return cross_entropy(
           x[0], with_ignored(),
           {.weight = weight(), .reduction = Reduction::none, .label_smoothing = 1});
     }},
};

const OpCase of_elements[] = {
    {"mse", {{4, 3}, {4, 3}}, [](const Leaves& x) { return mse_loss(x[0], x[1]); }},
    {"mse_sum",
     {{4, 3}, {4, 3}},
     [](const Leaves& x) { return mse_loss(x[0], x[1], Reduction::sum); }},
    {"mse_none",
     {{4, 3}, {4, 3}},
     [](const Leaves& x) { return mse_loss(x[0], x[1], Reduction::none); }},
    {"mse_of_views",
     {{3, 4}, {4, 3}},
     [](const Leaves& x) { return mse_loss(x[0].transpose(0, 1), x[1], Reduction::none); }},
    {"l1", {{4, 3}, {4, 3}}, [](const Leaves& x) { return l1_loss(x[0], x[1]); }},
    {"l1_none",
     {{4, 3}, {4, 3}},
     [](const Leaves& x) { return l1_loss(x[0], x[1], Reduction::none); }},
    {"huber", {{4, 3}, {4, 3}}, [](const Leaves& x) { return huber_loss(x[0], x[1]); }},
    {"huber_none",
     {{4, 3}, {4, 3}},
     [](const Leaves& x) { return huber_loss(x[0], x[1], Reduction::none); }},
    {"bce_with_logits",
     {{4, 3}, {4, 3}},
     [](const Leaves& x) { return binary_cross_entropy_with_logits(x[0] * 3.0, sigmoid(x[1])); }},
    {"bce_with_logits_none",
     {{4, 3}, {4, 3}},
     [](const Leaves& x) {
       return binary_cross_entropy_with_logits(x[0], sigmoid(x[1]), Reduction::none);
     }},
    {"bce",
     {{4, 3}, {4, 3}},
     [](const Leaves& x) { return binary_cross_entropy(sigmoid(x[0]), sigmoid(x[1])); }},
    {"bce_sum",
     {{4, 3}, {4, 3}},
     [](const Leaves& x) {
       return binary_cross_entropy(sigmoid(x[0]), sigmoid(x[1]), Reduction::sum);
     }},
};

INSTANTIATE_TEST_SUITE_P(CrossEntropy, Loss, ::testing::ValuesIn(of_classes), test::name_of_case);
INSTANTIATE_TEST_SUITE_P(Pointwise, Loss, ::testing::ValuesIn(of_elements), test::name_of_case);

}  // namespace
}  // namespace unroll::nn
