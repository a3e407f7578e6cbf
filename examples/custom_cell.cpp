// A recurrent cell of your own: the minimal gated unit (Zhou et al. 2016). It has one gate, a GRU
// has two. The library adds the products, time, the gradients of the weights and threads.
//
//     f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)
//     n_t = tanh(W_n x_t + f_t (U_n h_{t-1} + b_n))
//     h_t = (1 - f_t) h_{t-1} + f_t n_t
//
// std::exp and std::tanh come from the C library, so the last bits of the output depend on it
// (docs/adding_a_cell.md).
#include <unroll/unroll.h>

#include <cmath>
#include <cstdio>
#include <vector>

using namespace unroll;

struct MinimalGatedUnit {
  static constexpr std::string_view name = "mgu";
  // f needs only the sum of both parts. n multiplies the state's part by f first.
  static constexpr CellTraits traits{.gates = 2, .joint = 1, .direct = true};

  /// z changes from [f | x_n | h_n] to [f | n | h_n].
  template <class T>
  static void forward(const CellRow<T>& row) noexcept {
    T *f = row.z, *n = f + row.hidden, *h_n = n + row.hidden;
    for (std::size_t j = 0; j < row.hidden; ++j) {
      f[j] = 1 / (1 + std::exp(-f[j]));
      n[j] = std::tanh(n[j] + f[j] * h_n[j]);
      const T before = row.h_before ? row.h_before[j] : 0;
      row.h[j] = before + f[j] * (n[j] - before);
    }
  }

  template <class T>
  static void backward(const CellGradientRow<T>& row) noexcept {
    T *f = row.z, *n = f + row.hidden, *h_n = n + row.hidden;
    for (std::size_t j = 0; j < row.hidden; ++j) {
      const T before = row.h_before ? row.h_before[j] : 0, dh = row.dh[j];
      const T dn = dh * f[j] * (1 - n[j] * n[j]);  // gradient of x_n + f h_n
      const T df = dh * (n[j] - before) + dn * h_n[j];
      row.dh[j] = dh * (1 - f[j]);  // directly to h_{t-1}
      const T gate = f[j];
      f[j] = df * gate * (1 - gate);
      n[j] = dn;
      h_n[j] = dn * gate;
    }
  }
};

struct Model : nn::Module {
  nn::CustomRecurrent recurrent;
  nn::Linear fc;

  explicit Model(DType dtype)
      : recurrent(child("recurrent"), custom_cell<MinimalGatedUnit>, 1, 16,
                  {.batch_first = true, .dtype = dtype}),
        fc(child("fc"), 16, 1, {.dtype = dtype}) {}

  /// The loss. The model must find the sign of each sequence's sum.
  Tensor loss(const Tensor& x, const Tensor& positive) const {
    return nn::binary_cross_entropy_with_logits(fc(recurrent(x).output.select(1, -1)), positive);
  }
};

/// 64 sequences of 20 numbers, and whether each sums to more than 0.
std::pair<Tensor, Tensor> sequences(Generator& generator, DType dtype) {
  std::vector<double> x(64 * 20), positive(64, 0);
  generator.uniform(std::span(x), -1, 1);
  for (std::size_t n = 0; n < 64; ++n) {
    double sum = 0;
    for (std::size_t t = 0; t < 20; ++t) sum += x[n * 20 + t];
    positive[n] = sum > 0;
  }
  return {Tensor::from(x, {64, 20, 1}).to(dtype), Tensor::from(positive, {64, 1}).to(dtype)};
}

/// The gradient of one weight, compared with a finite difference.
double error_of_gradient() {
  Generator generator(1);
  Model model(DType::f64);
  const auto [x, positive] = sequences(generator, DType::f64);
  const Tensor weight = model.recurrent.layers()[0][WeightRole::weight_hh];
  model.loss(x, positive).backward();
  const double gradient = weight.grad().to_vector()[5], step = 1e-5;
  double& value = weight.data<double>()[5];
  value += step;
  const double above = model.loss(x, positive).item();
  value -= 2 * step;
  const double below = model.loss(x, positive).item();
  value += step;
  return std::abs(gradient - (above - below) / (2 * step));
}

int main() {
  const double error = error_of_gradient();
  std::printf("gradient and difference are %.1e apart\n", error);

  Generator generator(2);
  Model model(DType::f32);
  optim::Adam optimizer(model.parameters(), {.lr = 0.01});
  double first = 0, last = 0;
  for (int step = 1; step <= 300; ++step) {
    const auto [x, positive] = sequences(generator, DType::f32);
    optimizer.zero_grad();
    const Tensor loss = model.loss(x, positive);
    loss.backward();
    optimizer.step();
    if (step == 1) first = loss.item();
    last = loss.item();
    if (step % 100 == 0) std::printf("step %d, loss %.4f\n", step, last);
  }
  return error < 1e-8 && last < first / 2 ? 0 : 1;
}
