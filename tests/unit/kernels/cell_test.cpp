// The cells' arithmetic, to the bit that of single units.
#include "kernels/cell.h"

#include <gtest/gtest.h>

#include "support/all_cells.h"
#include "support/kernel_test.h"
#include "support/plain_cell.h"

namespace unroll::kernels {
namespace {

using test::bits_of;
using test::PlainUnit;
using test::random_values;

class CellKernel : public test::KernelTest {};

constexpr std::size_t kRows = 3;

/// Which of the optional things a call has.
struct Given {
  bool h_before, c_before, keep;
};

/// Rows of everything that a cell reads or writes, as far apart as each likes.
template <class T>
struct CellRows {
  CellRows(Cell of, std::size_t units, Given what)
      : cell(of),
        hidden(units),
        given(what),
        z_row(4 * hidden + 3),
        row(hidden + 5),
        z(random_values<T>(kRows * z_row, 1)),
        h_before(random_values<T>(kRows * row, 2)),
        c_before(random_values<T>(kRows * row, 3)),
        keep(random_values<T>(kRows * row, 4)),
        c(kRows * row, T(NAN)),
        h(kRows * row, T(NAN)),
        dh(random_values<T>(kRows * row, 5)),
        dc(random_values<T>(kRows * row, 6)) {
    for (T& x : z) x *= 3;
  }

  void forward(Columns units) {
    CellForward<T> call;
    fill(call, units);
    call.c = rows_of(c);
    call.h = rows_of(h);
    table<T>().cells[static_cast<std::size_t>(cell)].forward(call);
  }
  void backward(Columns units) {
    CellBackward<T> call;
    fill(call, units);
    call.dh = rows_of(dh);
    call.dc = rows_of(dc);
    table<T>().cells[static_cast<std::size_t>(cell)].backward(call);
  }

  /// f(unit) with each unit's numbers, which are then written back.
  template <class F>
  void each(Columns units, F f) {
    const CellTraits traits = traits_of(cell);
    const std::size_t sums = 2 * traits.gates - traits.joint;
    for (std::size_t n = 0; n < kRows; ++n)
      for (std::size_t j = units.begin; j < units.end; ++j) {
        const std::size_t at = n * row + j;
        PlainUnit<T> unit;
        for (std::size_t k = 0; k < sums; ++k) unit.z[k] = z[n * z_row + k * hidden + j];
        if (given.h_before) unit.h_before = h_before[at];
        if (given.c_before) unit.c_before = c_before[at];
        if (given.keep && traits.gates > 1) unit.keep = keep[at];
        unit.c = c[at];
        unit.h = h[at];
        unit.dh = dh[at];
        unit.dc = dc[at];
        f(unit);
        for (std::size_t k = 0; k < sums; ++k) z[n * z_row + k * hidden + j] = unit.z[k];
        if (traits.memory) c[at] = unit.c;
        h[at] = unit.h;
        if (traits.direct) dh[at] = unit.dh;
        if (traits.memory) dc[at] = unit.dc;
      }
  }

  Cell cell;
  std::size_t hidden;
  Given given;
  std::size_t z_row, row;
  std::vector<T> z, h_before, c_before, keep, c, h, dh, dc;

 private:
  Matrix<T> rows_of(std::vector<T>& all) const {
    return {all.data(), static_cast<std::ptrdiff_t>(row)};
  }
  Matrix<const T> constant(const std::vector<T>& all) const {
    return {all.data(), static_cast<std::ptrdiff_t>(row)};
  }
  template <class Call>
  void fill(Call& call, Columns units) {
    call.rows = kRows;
    call.hidden = hidden;
    call.units = units;
    call.z = {z.data(), static_cast<std::ptrdiff_t>(z_row)};
    if (given.h_before) call.h_before = constant(h_before);
    if (given.c_before) call.c_before = constant(c_before);
    if (given.keep) call.keep = constant(keep);
  }
};

template <class T>
void expect_same(const CellRows<T>& got, const CellRows<T>& expected, const std::string& what) {
  ASSERT_EQ(bits_of(got.z), bits_of(expected.z)) << what << ", z";
  ASSERT_EQ(bits_of(got.c), bits_of(expected.c)) << what << ", c";
  ASSERT_EQ(bits_of(got.h), bits_of(expected.h)) << what << ", h";
  ASSERT_EQ(bits_of(got.dh), bits_of(expected.dh)) << what << ", dh";
  ASSERT_EQ(bits_of(got.dc), bits_of(expected.dc)) << what << ", dc";
}

/// Some units by the kernel, the same by plain arithmetic, and no others touched.
template <class T>
void expect_plain_cell(Cell cell, std::size_t hidden, Columns units, Given given) {
  const std::string what = "cell " + std::to_string(static_cast<int>(cell)) + ", units " +
                           std::to_string(units.begin) + " to " + std::to_string(units.end) +
                           " of " + std::to_string(hidden);
  CellRows<T> got(cell, hidden, given);
  auto expected = got;
  got.forward(units);
  expected.each(units, [&](PlainUnit<T>& unit) { plain_forward(cell, unit); });
  expect_same(got, expected, what + ", forward");
  got.backward(units);
  expected.each(units, [&](PlainUnit<T>& unit) { plain_backward(cell, unit); });
  expect_same(got, expected, what + ", backward");
}

TEST_F(CellKernel, BitsAreThoseOfSingleUnits) {
  for (const Cell cell : test::all_cells)
    for (const Given given :
         {Given{true, true, false}, Given{false, false, false}, Given{true, true, true}}) {
      for (std::size_t hidden = 1; hidden < 50; ++hidden) {
        expect_plain_cell<float>(cell, hidden, {0, hidden}, given);
        expect_plain_cell<double>(cell, hidden, {0, hidden}, given);
      }
      for (const Columns units :
           {Columns{0, 64}, Columns{64, 100}, Columns{7, 8}, Columns{30, 30}}) {
        expect_plain_cell<float>(cell, 100, units, given);
        expect_plain_cell<double>(cell, 100, units, given);
      }
    }
}

// From the equations in torch.nn.LSTM's and GRU's documentation, by hand with libm.
TEST_F(CellKernel, ValuesAreThoseOfTheEquations) {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  CellRows<double> lstm(Cell::lstm, 1, {true, true, false}), gru(Cell::gru, 1, {true, true, false});
  const auto z = lstm.z, y = gru.z;
  lstm.forward({0, 1});
  gru.forward({0, 1});
  for (std::size_t n = 0; n < kRows; ++n) {
    const double* const i = &z[n * lstm.z_row];  // i, f, g, o
    const double c = sigmoid(i[1]) * lstm.c_before[n * lstm.row] + sigmoid(i[0]) * std::tanh(i[2]);
    EXPECT_NEAR(lstm.c[n * lstm.row], c, 1e-15);
    EXPECT_NEAR(lstm.h[n * lstm.row], sigmoid(i[3]) * std::tanh(c), 1e-15);
    const double* const r = &y[n * gru.z_row];  // r, z, the candidate's two sums
    const double candidate = std::tanh(r[2] + sigmoid(r[0]) * r[3]);
    EXPECT_NEAR(gru.h[n * gru.row],
                (1 - sigmoid(r[1])) * candidate + sigmoid(r[1]) * gru.h_before[n * gru.row], 1e-15);
  }
}

}  // namespace
}  // namespace unroll::kernels
