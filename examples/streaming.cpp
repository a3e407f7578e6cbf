// A recurrent network in a real-time program, such as an audio plug-in. The program must not wait
// for memory, locks or other threads. It links only unroll_infer.
//
//     streaming [model.safetensors]
//
// Without a model it uses an untrained GRU that reads a sample and returns a sample.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <vector>

#include "unroll/core/random.h"
#include "unroll/infer/model.h"
#include "unroll/infer/stream.h"

using namespace unroll;

/// An untrained GRU of 32 units. Each step reads one sample and returns one.
infer::Model<float> made_up_model() {
  const spec::RecurrentSpec gru{.name = "gru",
                                .cell = spec::Cell::gru,
                                .input_size = 1,
                                .hidden_size = 32,
                                .readout = spec::Readout::every_step};
  spec::ModelSpec spec;
  spec.input = spec::SeriesInput{.features = 1};
  spec.layers = {gru, spec::LinearSpec{"fc", gru.features(), 1}};

  // Its weights, in the form of a file.
  Generator generator(0);
  std::vector<std::vector<float>> memory;
  std::vector<io::ArrayView> weights;
  for (const auto& [name, sizes] : spec::weights_of(spec)) {
    std::size_t count = 1;
    for (const auto size : sizes) count *= static_cast<std::size_t>(size);
    auto& values = memory.emplace_back(count);
    generator.uniform(values, -0.2, 0.2);
    weights.push_back({name, io::ElementType::f32, sizes, std::as_bytes(std::span(values))});
  }
  return {spec, weights};
}

int main(int argc, char** argv) try {
  // STEP 1: LOAD THE MODEL, while waiting does no harm
  const auto model = argc > 1 ? infer::Model<float>::load(argv[1]) : made_up_model();
  constexpr std::size_t channels = 2;  // each a sequence of its own
  auto stream = model.stream(channels);

  // STEP 2: ALLOCATE A BLOCK, for the same reason
  constexpr std::size_t block = 64;
  std::vector<float> in(block * channels * model.inputs());
  std::vector<float> out(block * channels * model.outputs());

  // STEP 3: PROCESS BLOCK BY BLOCK, in real time
  using Clock = std::chrono::steady_clock;
  std::vector<double> microseconds(1000);
  double phase = 0;
  for (double& time : microseconds) {
    for (float& sample : in) sample = static_cast<float>(std::sin(phase += 0.05));
    const auto start = Clock::now();
    stream.process(in, out, block);  // no allocation, no lock, no other thread
    time = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  }

  // The state belongs to the program: save it, restore it, or reset it.
  const std::vector<float> h(stream.h(0).begin(), stream.h(0).end());
  stream.reset();

  std::ranges::sort(microseconds);
  std::printf("%zu blocks of %zu steps of %zu sequences; the last output was %g\n",
              microseconds.size(), block, channels, static_cast<double>(out.back()));
  std::printf("state of layer 0: %zu numbers\n", h.size());
  std::printf(
      "microseconds a block: best %.1f, median %.1f, worst %.1f; at 48 kHz there are %.0f\n",
      microseconds.front(), microseconds[microseconds.size() / 2], microseconds.back(),
      static_cast<double>(block) / 48e3 * 1e6);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
