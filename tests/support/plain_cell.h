// The cells' arithmetic on one hidden unit, with fused multiply-adds where the kernels have them.
#pragma once

#include <cmath>
#include <cstddef>

#include "kernels/cell.h"
#include "support/scalar_math.h"

namespace unroll::test {

template <class T>
struct PlainUnit {
  T z[4] = {};  // the sums, then the gates, then the gradients of the sums
  T h_before = 0, c_before = 0, keep = 1;
  T c = 0, h = 0;
  T dh = 0, dc = 0;  // of h and c, then of c_before, and of h_before what goes past the products
};

/// LSTM: h from what is passed to its tanh.
template <class T>
void plain_lstm_output(PlainUnit<T>& unit, T c) {
  unit.h = unit.z[3] * scalar_tanh(c);
}

template <class T>
void plain_forward(kernels::Cell cell, PlainUnit<T>& unit) {
  T* const z = unit.z;
  switch (cell) {
    case kernels::Cell::rnn_relu:
      unit.h = z[0] = z[0] < 0 ? T{0} : z[0];
      break;
    case kernels::Cell::rnn_tanh:
      unit.h = z[0] = scalar_tanh(z[0]);
      break;
    case kernels::Cell::lstm:
      for (const int gate : {0, 1, 3}) z[gate] = scalar_sigmoid(z[gate]);
      z[2] = scalar_tanh(z[2]);
      unit.c = std::fma(z[1], unit.c_before, z[0] * (z[2] * unit.keep));
      plain_lstm_output(unit, unit.c);
      break;
    case kernels::Cell::gru: {
      const T r = scalar_sigmoid(z[0]), u = scalar_sigmoid(z[1]);
      const T t = scalar_tanh(std::fma(r, z[3], z[2])), candidate = t * unit.keep;
      unit.h = std::fma(u, unit.h_before - candidate, candidate);
      z[0] = r;
      z[1] = u;
      z[2] = t;
      break;
    }
  }
}

/// LSTM, from the gradient of c on: all gates but the output's.
template <class T>
void plain_lstm_memory_backward(PlainUnit<T>& unit) {
  T* const z = unit.z;
  const T i = z[0], f = z[1], g = z[2], dc = unit.dc;
  z[0] = ((dc * i) * (g * unit.keep)) * (1 - i);
  z[1] = ((dc * f) * unit.c_before) * (1 - f);
  z[2] = ((dc * i) * unit.keep) * std::fma(-g, g, T{1});
  unit.dc = dc * f;
}

template <class T>
void plain_backward(kernels::Cell cell, PlainUnit<T>& unit) {
  T* const z = unit.z;
  switch (cell) {
    case kernels::Cell::rnn_relu:
      z[0] = z[0] <= 0 ? T{0} : unit.dh;
      break;
    case kernels::Cell::rnn_tanh:
      z[0] = std::fma(-z[0], z[0], T{1}) * unit.dh;
      break;
    case kernels::Cell::lstm: {
      const T y = scalar_tanh(unit.c), o = z[3], through_o = unit.dh * o;
      unit.dc = std::fma(through_o, std::fma(-y, y, T{1}), unit.dc);
      z[3] = (through_o * y) * (1 - o);
      plain_lstm_memory_backward(unit);
      break;
    }
    case kernels::Cell::gru: {
      const T r = z[0], u = z[1], t = z[2], h_n = z[3];
      const T direct = unit.dh * u;
      z[2] = ((unit.dh - direct) * unit.keep) * std::fma(-t, t, T{1});
      z[3] = z[2] * r;
      z[0] = (z[3] * h_n) * (1 - r);
      z[1] = (direct * (1 - u)) * (unit.h_before - t * unit.keep);
      unit.dh = direct;
      break;
    }
  }
}

}  // namespace unroll::test
