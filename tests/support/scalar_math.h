// The kernels' exp, tanh and sigmoid on one number at a time, for comparison bit by bit.
#pragma once

namespace unroll::test {

float scalar_exp(float x);
double scalar_exp(double x);
float scalar_tanh(float x);
double scalar_tanh(double x);
float scalar_sigmoid(float x);
double scalar_sigmoid(double x);

}  // namespace unroll::test
