// Reading tables: numbers, texts, and numbers in a gzip file. `bytes_per_second` counts the text
// after decoding.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <zlib.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "data/table_reader.h"

namespace {

using namespace unroll;

constexpr std::size_t kSize = 60'000'000;

/// Eight columns of readings with four decimals.
std::string numbers() {
  std::string text = "c0,c1,c2,c3,c4,c5,c6,c7\n";
  for (std::int64_t i = 0; text.size() < kSize; ++i)
    for (int column = 0; column < 8; ++column)
      text += fmt::format("{:.4f}{}", 40 * std::sin(0.37 * static_cast<double>(8 * i + column)),
                          column == 7 ? '\n' : ',');
  return text;
}

/// Four columns of texts, one of times, two of numbers.
std::string texts() {
  std::string text = "series,subject,side,exercise,time,x,y\n";
  for (std::int64_t i = 0; text.size() < kSize; ++i)
    text += fmt::format("s{},p{},{},{},2014-07-{:02}T{:02}:{:02}:{:02},{:.3f},{:.3f}\n", i / 500,
                        i / 5000, i / 250 % 2 ? "left" : "right", i / 500 % 2 ? "PEN" : "SEL",
                        1 + i / 86'400 % 28, i / 3600 % 24, i / 60 % 60, i % 60,
                        std::sin(0.1 * static_cast<double>(i)), 0.5);
  return text;
}

void read_text(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    data::ContentReader content(text, "table");
    benchmark::DoNotOptimize(data::read_table(content).rows);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void table_of_numbers(benchmark::State& state) { read_text(state, numbers()); }
void table_of_texts(benchmark::State& state) { read_text(state, texts()); }

void table_in_gzip(benchmark::State& state) {
  const std::string text = numbers();
  const std::string path = std::filesystem::temp_directory_path() / "unroll-table-bench.csv.gz";
  const gzFile file = gzopen(path.c_str(), "wb6");
  if (!file || gzwrite(file, text.data(), static_cast<unsigned>(text.size())) == 0 ||
      gzclose(file) != Z_OK)
    std::abort();
  for (auto _ : state) benchmark::DoNotOptimize(data::read_table(path).rows);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  std::filesystem::remove(path);
}

BENCHMARK(table_of_numbers)->Unit(benchmark::kMillisecond);
BENCHMARK(table_of_texts)->Unit(benchmark::kMillisecond);
BENCHMARK(table_in_gzip)->Unit(benchmark::kMillisecond);

}  // namespace
