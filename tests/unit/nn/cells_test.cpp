#include "unroll/nn/cells.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/kernel_test.h"
#include "support/tensors.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"
#include "unroll/nn/gru.h"
#include "unroll/nn/lstm.h"
#include "unroll/nn/rnn.h"

namespace unroll::nn {
namespace {

using test::error_of;

class RnnLayerCells : public test::KernelTest {};

/// Gives a layer the parameters of a cell.
void share(Module& cell, Module& layer) {
  Parameters named;
  for (const Parameter& p : cell.parameters()) named.push_back({p.name + "_l0", p.value, p.gates});
  layer.load(named);
}

template <class Cell>
std::vector<std::string> names_of() {
  Cell cell(3, 5);
  std::vector<std::string> names;
  for (const Parameter& p : cell.parameters()) names.push_back(p.name + p.value.shape().str());
  return names;
}

TEST_F(RnnLayerCells, ParametersHavePyTorchsNamesAndOrder) {
  EXPECT_EQ(names_of<RnnCell>(), (std::vector<std::string>{"weight_ih[5, 3]", "weight_hh[5, 5]",
                                                           "bias_ih[5]", "bias_hh[5]"}));
  EXPECT_EQ(names_of<LstmCell>(), (std::vector<std::string>{"weight_ih[20, 3]", "weight_hh[20, 5]",
                                                            "bias_ih[20]", "bias_hh[20]"}));
  EXPECT_EQ(names_of<GruCell>(), (std::vector<std::string>{"weight_ih[15, 3]", "weight_hh[15, 5]",
                                                           "bias_ih[15]", "bias_hh[15]"}));
}

// Step by step a cell finds the layer's bits.
TEST_F(RnnLayerCells, StepsAreThoseOfTheLayer) {
  const Tensor x = test::random_tensor({6, 4, 3}, DType::f32, 1);
  RnnCell rnn_cell(3, 5, {.nonlinearity = Nonlinearity::relu});
  Rnn rnn(3, 5, {.nonlinearity = Nonlinearity::relu});
  GruCell gru_cell(3, 5);
  Gru gru(3, 5);
  LstmCell lstm_cell(3, 5);
  Lstm lstm(3, 5);
  share(rnn_cell, rnn);
  share(gru_cell, gru);
  share(lstm_cell, lstm);
  Tensor h_rnn, h_gru;
  State state;
  for (std::int64_t t = 0; t < 6; ++t) {
    h_rnn = rnn_cell(x.select(0, t), h_rnn);
    h_gru = gru_cell(x.select(0, t), h_gru);
    state = lstm_cell(x.select(0, t), state);
    EXPECT_EQ(test::bits_of(h_rnn), test::bits_of(rnn(x).output.select(0, t)));
    EXPECT_EQ(test::bits_of(h_gru), test::bits_of(gru(x).output.select(0, t)));
    EXPECT_EQ(test::bits_of(state.h), test::bits_of(lstm(x).output.select(0, t)));
  }
  EXPECT_EQ(test::bits_of(state.c), test::bits_of(lstm(x).c_n.select(0, 0)));
}

TEST_F(RnnLayerCells, WhatDoesNotFitIsNamed) {
  const LstmCell cell(3, 5);
  EXPECT_EQ(error_of<ShapeError>([&] {
              cell(Tensor::zeros({2, 4}));
            }),
            "[lstm_cell] input has shape [2, 4], expected [batch, 3]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              cell(Tensor::zeros({2, 3}), {.h = Tensor::zeros({3, 5})});
            }),
            "[lstm_cell] h has shape [3, 5], expected [2, 5]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              cell(Tensor::zeros({2, 3}), {.c = Tensor::zeros({2, 4})});
            }),
            "[lstm_cell] c has shape [2, 4], expected [2, 5]");
  EXPECT_THROW(cell(Tensor::zeros({1, 2, 3})), ShapeError);
  EXPECT_THROW(cell(Tensor::zeros({2, 3}, DType::f64)), ShapeError);
  EXPECT_THROW(GruCell(3, 0), ValueError);
}

}  // namespace
}  // namespace unroll::nn
