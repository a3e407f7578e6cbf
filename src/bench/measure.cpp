#include "bench/measure.h"

#include <algorithm>
#include <array>

#include "bench/layer_step.h"
#include "data/image_source.h"
#include "nn/model_file.h"
#include "train/describe.h"
#include "train/evaluate.h"
#include "train/network.h"
#include "train/trainer.h"
#include "unroll/core/threads.h"
#include "unroll/infer/stream.h"

namespace unroll::bench {
namespace {

data::Dataset noise_images(std::int64_t count, std::int64_t rows, std::int64_t columns) {
  data::Dataset set;
  set.count = count;
  set.rows = rows;
  set.columns = columns;
  Generator generator(1);
  set.images.resize(static_cast<std::size_t>(count * rows * columns));
  for (auto& pixel : set.images) pixel = static_cast<std::uint8_t>(generator.next_u32());
  for (std::int64_t i = 0; i < count; ++i)
    set.labels.push_back(static_cast<std::uint8_t>(generator.next_u32() % Workload::outputs));
  return set;
}

/// The workload's settings, with a learning rate so small that it can't diverge on noise.
train::Config config_of(const Workload& w, int threads) {
  train::Config config;
  if (w.optimizer == train::Algorithm::muon) {
    const train::Config tuned = train::recipe("tuned");
    config.momentum = tuned.momentum;
    config.beta2 = tuned.beta2;
  }
  config.optimizer = w.optimizer;
  config.precision = w.precision;
  config.lr = 1e-6;
  config.clip_norm = 1;
  config.model = w.model;
  config.bidirectional = w.bidirectional;
  config.hidden = w.hidden;
  config.layers = w.layers;
  config.activation =
      w.activation == Nonlinearity::tanh ? spec::Activation::tanh : spec::Activation::relu;
  config.batch_size = w.batch;
  config.steps = std::int64_t{1} << 40;  // until a listener stops it
  config.eval_every = 0;
  config.threads = threads;
  return config;
}

std::shared_ptr<const data::Source> source_of(const train::Config& config,
                                              const data::Dataset& set) {
  return data::image_source({set, set}, train::source_options(config).images);
}

/// Trains with the Trainer if it can train the workload. A lap is the time from the end of one step
/// to the end of the next.
void train(const Workload& w, int threads, Laps& laps) {
  // Larger than L2, like a real data set.
  constexpr std::int64_t kPixels = 4 << 20;
  const std::int64_t batches = std::max(std::int64_t{2}, kPixels / (w.batch * w.steps * w.input));
  const data::Dataset set = noise_images(batches * w.batch, w.steps, w.input);
  if (w.lengths != Lengths::equal || w.regulariser != Regulariser::none)
    return train_layer(w, set, laps);
  const train::Config config = config_of(w, threads);
  train::Trainer trainer(config, source_of(config, set));
  train::Callbacks callbacks;
  callbacks.on_step = [&](const train::StepResult&) { laps.lap(); };
  callbacks.stops = [&] { return laps.done(); };
  trainer.run({&callbacks});
}

infer::Model<float> trained_model(const Workload& w) {
  const train::Config config = config_of(w, 0);
  const spec::ModelSpec spec =
      train::describe(config, *source_of(config, noise_images(1, w.steps, w.input)));
  Generator generator(1);
  train::Network model(spec, generator);
  return {spec, nn::views_of(model.parameters())};
}

void evaluate(const Workload& w, Laps& laps) {
  const auto source = source_of(config_of(w, 0), noise_images(w.batch, w.steps, w.input));
  const infer::Model<float> model = trained_model(w);
  while (!laps.done()) {
    train::evaluate(model, *source);
    laps.lap();
  }
}

/// A lap has kStreamed steps, because a single step is too short for the clock. Between the laps,
/// some steps are timed one by one, for the 99.9th percentile.
Timing stream(const Workload& w, Laps& laps) {
  constexpr std::int64_t kStreamed = 1000, kSingle = 100;
  constexpr std::size_t kMost = 1 << 20;
  const infer::Model<float> model = trained_model(w);
  infer::Stream<float> stream = model.stream();
  const std::vector<float> in(static_cast<std::size_t>(w.input), 0.5f);
  std::vector<double> single;
  single.reserve(kMost);
  while (!laps.done()) {
    for (std::int64_t i = 0; i < kStreamed; ++i) stream.step(in);
    laps.lap();
    for (std::int64_t i = 0; i < kSingle && single.size() < kMost; ++i) {
      const auto before = Clock::now();
      stream.step(in);
      single.push_back(seconds_since(before));
    }
    laps.resume();
  }
  Timing timing = laps.result();
  timing.best /= kStreamed;
  timing.median /= kStreamed;
  timing.p999 = p999_of(std::move(single));
  return timing;
}

}  // namespace

Timing measure(const Workload& workload, int threads, double limit, BetweenLaps between) {
  set_num_threads(threads);
  Laps laps(limit, std::move(between));
  switch (workload.kind) {
    case Kind::train:
      train(workload, threads, laps);
      break;
    case Kind::eval:
      evaluate(workload, laps);
      break;
    case Kind::step:
      return stream(workload, laps);
  }
  return laps.result();
}

}  // namespace unroll::bench
