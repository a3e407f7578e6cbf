// From a CSV file to a model in a running program: a GRU estimates the capacity of a battery from
// the readings of a discharge. A run of readings is a series; its last estimate counts.
//
//     sensor [batteries.csv]
#include <unroll/unroll.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

using namespace unroll;

struct Estimator : nn::Module {
  nn::Gru gru;
  nn::Linear fc;

  explicit Estimator(std::int64_t features)
      : gru(child("gru"), features, 32, {.batch_first = true}), fc(child("fc"), 32, 1) {}

  /// (N, T, I) -> (N, 1), from the state after the last step of each series.
  Tensor forward(const Tensor& x, std::span<const std::int64_t> lengths = {}) const {
    return fc(gru(x, {}, {.lengths = lengths}).h_n.select(0, 0));
  }
};

int main(int argc, char** argv) try {
  // STEP 1: READ, SPLIT AND SCALE. The split keeps whole runs together
  const std::string path = argc > 1 ? argv[1] : "batteries.csv";
  data::Series series = data::read_series(path, {.task = data::Task::regress,
                                                 .target = {"capacity"},
                                                 .series = "run",
                                                 .time = "minute",
                                                 .validate = "none",
                                                 .test = "0.25"});
  data::standardize(series.train, series.input);

  // STEP 2: TRAIN, in batches of series of similar lengths
  Estimator model(series.input.features);
  optim::Adam optimizer(model.parameters(), {.lr = 0.01});
  data::BucketLoader loader(series.train, {.batch_size = 16, .shuffle = true});
  for (int epoch = 0; epoch < 100; ++epoch)
    for (const auto& [inputs, lengths, capacities] : loader) {
      optimizer.zero_grad();
      nn::mse_loss(model.forward(inputs, lengths.values<std::int64_t>()), capacities).backward();
      optim::clip_grad_norm(model.parameters(), 1);
      optimizer.step();
    }

  // STEP 3: SAVE. The file holds the scaling too, so it takes volts and amperes
  if (!save(model, "sensor.safetensors", {.input = series.input}).runnable) return 1;

  // STEP 4: STREAM the test runs, one reading after the other, as they would arrive. Features are
  // in the order of their names: current, voltage
  const auto estimator = infer::Model<float>::load("sensor.safetensors");
  auto stream = estimator.stream();
  const data::Sequences& test = series.test;
  const auto width = static_cast<std::size_t>(test.features);
  const float* reading = test.values.data();
  double errors = 0, errors_of_mean = 0;
  for (std::size_t run = 0; run < test.lengths.size(); ++run) {
    float estimate = 0;
    stream.reset();
    for (std::int64_t t = 0; t < test.lengths[run]; ++t, reading += width) {
      stream.step({reading, width}, {&estimate, 1});
      if (run == 0)
        std::printf("%.2f A, %.3f V: %.2f Ah\n", static_cast<double>(reading[0]),
                    static_cast<double>(reading[1]), static_cast<double>(estimate));
    }
    const double truth = static_cast<double>(test.targets[run]);
    errors += std::pow(static_cast<double>(estimate) - truth, 2);
    errors_of_mean += std::pow(series.target_mean[0] - truth, 2);
  }
  const auto count = static_cast<double>(test.lengths.size());
  std::printf("RMSE of %.0f test runs: %.3f Ah; of the training mean: %.3f Ah\n", count,
              std::sqrt(errors / count), std::sqrt(errors_of_mean / count));
  return errors < errors_of_mean / 2 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
