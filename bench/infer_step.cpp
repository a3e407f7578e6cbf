// One time step of a trained Rnn at batch 1: what a real-time program waits for.
#include <benchmark/benchmark.h>
#include <unroll/unroll.h>

namespace {

using namespace unroll;

void stream_step(benchmark::State& state) {
  spec::ModelSpec spec;
  spec.input_size = 28;
  spec.hidden_size = state.range(0);
  spec.outputs = 10;
  std::vector<std::vector<float>> values;
  std::vector<io::ArrayView> weights;
  Generator generator(1);
  for (const auto& [name, sizes] : spec::weights_of(spec)) {
    std::size_t count = 1;
    for (const std::int64_t size : sizes) count *= static_cast<std::size_t>(size);
    auto& v = values.emplace_back(count);
    generator.uniform(std::span(v), -0.05, 0.05);
    weights.push_back({name, io::ElementType::f32, sizes, std::as_bytes(std::span(v))});
  }
  const infer::Model<float> model(spec, weights);
  infer::Stream<float> stream = model.stream();
  const std::vector<float> in(28, 0.5f);
  std::vector<float> out(10);
  for (auto _ : state) {
    stream.step(in, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(stream_step)->ArgName("hidden")->Arg(100)->Arg(256);

}  // namespace
