// The chapter "Recurrent Neural Network with PyTorch", step by step. Its learning rate is unstable,
// here and in PyTorch: with many seeds the loss becomes nan. To prevent it, call
// optim::clip_grad_norm(model.parameters(), 1) before step().
#include <unroll/unroll.h>

#include <cstdio>

using namespace unroll;

// STEP 3: CREATE MODEL CLASS
struct RnnModel : nn::Module {
  nn::Rnn rnn;
  nn::Linear fc;

  RnnModel(int input_dim, int hidden_dim, int layer_dim, int output_dim)
      : rnn(child("rnn"), input_dim, hidden_dim,
            {.num_layers = layer_dim, .nonlinearity = Nonlinearity::relu, .batch_first = true}),
        fc(child("fc"), hidden_dim, output_dim) {}

  Tensor forward(const Tensor& x) {
    auto [out, h_n] = rnn(x);  // h_0 is zeros; out is (batch, 28 steps, 100)
    return fc(out.select(1, -1));
  }
};

int main() try {
  // STEP 1: LOAD DATASET
  auto train_dataset = data::mnist(data::Split::train);
  auto test_dataset = data::mnist(data::Split::test);
  std::printf("%ldx%ldx%ld\n", train_dataset.count, train_dataset.rows, train_dataset.columns);
  std::printf("%zu\n", train_dataset.labels.size());
  std::printf("%ldx%ldx%ld\n", test_dataset.count, test_dataset.rows, test_dataset.columns);
  std::printf("%zu\n", test_dataset.labels.size());

  // STEP 2: MAKE DATASET ITERABLE
  int batch_size = 100;
  int n_iters = 3000;
  int num_epochs = n_iters / (static_cast<int>(train_dataset.count) / batch_size);
  data::Loader train_loader(train_dataset, {.batch_size = batch_size, .shuffle = true});
  data::Loader test_loader(test_dataset, {.batch_size = batch_size, .shuffle = false});

  // STEP 4: INSTANTIATE MODEL CLASS
  int input_dim = 28, hidden_dim = 100, layer_dim = 1, output_dim = 10;
  RnnModel model(input_dim, hidden_dim, layer_dim, output_dim);

  // STEP 5: INSTANTIATE LOSS CLASS
  auto criterion = [](const Tensor& outputs, const Tensor& labels) {
    return nn::cross_entropy(outputs, labels);
  };

  // STEP 6: INSTANTIATE OPTIMIZER CLASS
  double learning_rate = 0.1;
  optim::Sgd optimizer(model.parameters(), {.lr = learning_rate});

  // Parameters in depth
  std::printf("%zu\n", model.parameters().size());
  for (auto& parameter : model.parameters())
    std::printf("%s %s\n", parameter.name.c_str(), parameter.value.shape().str().c_str());

  // STEP 7: TRAIN THE MODEL
  int seq_dim = 28;
  int iter = 0;
  for (int epoch = 0; epoch < num_epochs; ++epoch) {
    for (auto [images, labels] : train_loader) {
      images = images.view({-1, seq_dim, input_dim});
      optimizer.zero_grad();
      auto outputs = model.forward(images);
      auto loss = criterion(outputs, labels);
      loss.backward();
      optimizer.step();

      if (++iter % 500 == 0) {
        long correct = 0, total = 0;
        for (auto [test_images, test_labels] : test_loader) {
          test_images = test_images.view({-1, seq_dim, input_dim});
          auto predicted = argmax(model.forward(test_images), 1);
          total += test_labels.size(0);
          correct += count_equal(predicted, test_labels);
        }
        double accuracy = 100.0 * static_cast<double>(correct) / static_cast<double>(total);
        std::printf("Iteration: %d, Loss: %.4f, Accuracy: %.2f\n", iter, loss.item(), accuracy);
      }
    }
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
