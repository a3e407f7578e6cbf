// Trains y = 2 x + 1 with the installed library, and catches what it throws.
#include <unroll/unroll.h>

#include <cmath>
#include <cstdio>
#include <vector>

int main() {
  using namespace unroll;
  Generator generator(1);
  nn::Linear linear(1, 1, {.generator = &generator});
  const Tensor x = Tensor::from(std::vector<float>{-1, 0, 1, 2}, {4, 1});
  const Tensor y = Tensor::from(std::vector<float>{-1, 1, 3, 5}, {4, 1});
  optim::Sgd sgd(linear.parameters(), {.lr = 0.1});
  for (int step = 0; step < 300; ++step) {
    sgd.zero_grad();
    nn::mse_loss(linear(x), y).backward();
    sgd.step();
  }
  const auto parameters = linear.parameters();
  const double weight = parameters[0].value.item(), bias = parameters[1].value.item();
  std::printf("y = %.4f x + %.4f\n", weight, bias);
  if (std::abs(weight - 2) > 1e-3 || std::abs(bias - 1) > 1e-3) return 1;
  try {
    linear(Tensor::zeros({2, 3}));
  } catch (const ShapeError& error) {
    std::printf("caught: %s\n", error.what());
    return 0;
  }
  return 2;
}
