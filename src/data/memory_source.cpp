#include "data/memory_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/parallel.h"
#include "core/philox.h"
#include "data/source_traits.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::data {
namespace {

// The second word of Philox's counters. Differs from the words of generators and masks with the
// same seed.
enum class Domain : std::uint32_t { adding = 0x41444400, copy = 0x43505900 };

constexpr std::size_t kSequencesPerTask = 4;

constexpr std::int64_t kLongest = 1 << 20;

void check_memory_source(const char* name, const SequenceTask& task, std::int64_t first,
                         std::int64_t count, std::int64_t shortest, std::int64_t more_steps,
                         std::int64_t numbers_a_step) {
  constexpr std::int64_t kMostNumbers = std::int64_t{1} << 31;
  const auto refuse = [&](const char* what, std::int64_t given, const std::string& expected) {
    throw ValueError(name, fmt::format("{} {}, expected {}", what, given, expected));
  };
  if (task.length < shortest || task.length > kLongest)
    refuse("length", task.length, fmt::format("{} to {}", shortest, kLongest));
  if (first < 0) refuse("first sequence", first, "at least 0");
  const std::int64_t most = kMostNumbers / ((task.length + more_steps) * numbers_a_step);
  if (count < 1 || count > most)
    refuse("count", count, fmt::format("1 to {} sequences of this length", most));
}

/// The random words of one sequence, in blocks of four.
class Words {
 public:
  Words(const SequenceTask& task, Domain domain, std::int64_t sequence)
      : domain_(static_cast<std::uint32_t>(domain) + (task.split == Split::test)),
        sequence_(static_cast<std::uint64_t>(sequence)),
        seed_(task.seed) {}

  std::array<std::uint32_t, 4> operator()(std::uint32_t block) const {
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
    return philox(std::array{block, domain_, low(sequence_), high(sequence_)},
                  std::array{low(seed_), high(seed_)});
  }

 private:
  std::uint32_t domain_;
  std::uint64_t sequence_, seed_;
};

/// A uniform integer from 0 to n - 1. Probabilities are exact to within n / 2^32.
std::int64_t below(std::int64_t n, std::uint32_t word) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(n) * word >> 32);
}

/// A uniform number in [0, 1) with 24 random bits.
float unit(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// Writes the inputs (T, 2) of one sequence, and returns its target.
template <class T>
T fill_adding(const Words& words, std::int64_t length, T* inputs) {
  constexpr std::uint32_t kMarksBlock = 0xffffffff;  // no block of numbers has this index
  for (std::int64_t t = 0; t < length; t += 4) {
    const auto drawn = words(static_cast<std::uint32_t>(t / 4));
    for (std::int64_t i = 0; i < std::min<std::int64_t>(4, length - t); ++i) {
      inputs[2 * (t + i)] = unit(drawn[static_cast<std::size_t>(i)]);
      inputs[2 * (t + i) + 1] = 0;
    }
  }
  const auto drawn = words(kMarksBlock);
  const std::int64_t half = length / 2;
  T* const one = inputs + 2 * below(half, drawn[0]);
  T* const other = inputs + 2 * (half + below(length - half, drawn[1]));
  one[1] = other[1] = 1;
  return one[0] + other[0];
}

/// Writes the inputs (T + 20, 10) and targets (T + 20) of one sequence.
template <class T>
void fill_copy(const Words& words, std::int64_t length, T* inputs, std::int64_t* targets) {
  constexpr std::int64_t kBlank = copy_symbols, kDelimiter = copy_symbols + 1;
  const std::int64_t steps = length + 2 * copy_memory;
  std::fill_n(inputs, steps * copy_alphabet, T{0});
  std::fill_n(targets, steps, no_target);
  for (std::int64_t t = 0; t < steps; ++t) {
    std::int64_t symbol = t == length + copy_memory - 1 ? kDelimiter : kBlank;
    if (t < copy_memory) {
      const auto drawn = words(static_cast<std::uint32_t>(t / 4));
      symbol = below(copy_symbols, drawn[static_cast<std::size_t>(t % 4)]);
      targets[t + length + copy_memory] = symbol;
    }
    inputs[t * copy_alphabet + symbol] = 1;
  }
}

/// Makes `count` sequences. The i-th is number index(i) of the list.
template <class Index>
SequenceBatch make_adding(const SequenceTask& task, std::int64_t count, Index index) {
  check_memory_source("adding", task, index(0), count, 2, 0, 2);
  const SequenceBatch batch{Tensor::empty({count, task.length, 2}, task.dtype),
                            Tensor::empty({count, 1}, task.dtype)};
  dispatch("adding", task.dtype, [&]<class T>(T*) {
    T* const inputs = batch.inputs.data<T>();
    T* const targets = batch.targets.data<T>();
    parallel_pieces(static_cast<std::size_t>(count), kSequencesPerTask,
                    [&](std::size_t begin, std::size_t end) {
                      for (auto i = static_cast<std::int64_t>(begin);
                           i < static_cast<std::int64_t>(end); ++i)
                        targets[i] = fill_adding(Words(task, Domain::adding, index(i)), task.length,
                                                 inputs + i * 2 * task.length);
                    });
  });
  return batch;
}

template <class Index>
SequenceBatch make_copying(const SequenceTask& task, std::int64_t count, Index index) {
  check_memory_source("copy", task, index(0), count, 1, 2 * copy_memory, copy_alphabet);
  const std::int64_t steps = task.length + 2 * copy_memory;
  const SequenceBatch batch{Tensor::empty({count, steps, copy_alphabet}, task.dtype),
                            Tensor::empty({count, steps}, DType::i64)};
  std::int64_t* const targets = batch.targets.data<std::int64_t>();
  dispatch("copy", task.dtype, [&]<class T>(T*) {
    T* const inputs = batch.inputs.data<T>();
    parallel_pieces(static_cast<std::size_t>(count), kSequencesPerTask,
                    [&](std::size_t begin, std::size_t end) {
                      for (auto i = static_cast<std::int64_t>(begin);
                           i < static_cast<std::int64_t>(end); ++i)
                        fill_copy(Words(task, Domain::copy, index(i)), task.length,
                                  inputs + i * steps * copy_alphabet, targets + i * steps);
                    });
  });
  return batch;
}

class MemorySource final : public Source {
 public:
  MemorySource(const SourceTraits& traits, const MemoryOptions& options)
      : name_(traits.name), options_(options) {
    Examples first;
    batch(Split::test, std::array<Pick, 1>{}, DType::f32,
          first);  // throws if there are no such sequences
  }

  std::string name() const override { return name_; }
  spec::InputSpec input() const override { return series(); }
  TargetSpec target() const override {
    if (adds())
      return {.kind = TargetSpec::Kind::values,
              .size = 1,
              .tolerance = adding_tolerance,
              .answers = "sums"};
    return {.kind = TargetSpec::Kind::step_classes, .size = copy_symbols, .answers = "symbols"};
  }
  std::int64_t size(Split part) const override {
    constexpr std::int64_t kTested = 1000;
    return part == Split::train ? endless : part == Split::test ? kTested : 0;
  }

  void batch(Split part, std::span<const Pick> picks, DType dtype, Examples& to) const override {
    const SequenceTask task{.length = options_.length,
                            .seed = part == Split::train ? options_.seed : 0,
                            .split = part,
                            .dtype = dtype};
    const auto count = static_cast<std::int64_t>(picks.size());
    const auto index = [&](std::int64_t i) { return picks[static_cast<std::size_t>(i)].index; };
    auto [inputs, targets] =
        adds() ? make_adding(task, count, index) : make_copying(task, count, index);
    to.inputs = std::move(inputs);
    to.targets = std::move(targets);
    to.lengths.clear();
  }

  std::string sizes_text() const override {
    const spec::SeriesInput input = series();
    return fmt::format(
        "{}: made from random numbers, sequences of {} steps of {} numbers; {} are for testing\n",
        name_, input.steps, input.features, size(Split::test));
  }

 private:
  bool adds() const { return name_ == "adding"; }
  spec::SeriesInput series() const {
    if (adds()) return {.features = 2, .steps = options_.length};
    return {.features = copy_alphabet, .steps = options_.length + 2 * copy_memory};
  }

  std::string name_;
  MemoryOptions options_;
};

}  // namespace

SequenceBatch adding(const SequenceTask& task, std::int64_t first, std::int64_t count) {
  return make_adding(task, count, [first](std::int64_t i) { return first + i; });
}

SequenceBatch copying(const SequenceTask& task, std::int64_t first, std::int64_t count) {
  return make_copying(task, count, [first](std::int64_t i) { return first + i; });
}

std::shared_ptr<const Source> memory_source(std::string_view name, const MemoryOptions& options) {
  return std::make_shared<MemorySource>(source_traits(name), options);
}

std::shared_ptr<const Source> memory_source(std::string_view name, const spec::InputSpec& input) {
  const SourceTraits& traits = source_traits(name);
  if (spec::steps_of(input) == 0)
    throw ShapeError("eval",
                     fmt::format("the model reads sequences of any length, {} needs a model with a "
                                 "fixed length",
                                 name));
  const std::int64_t length =
      spec::steps_of(input) - (traits.answers_every_step ? 2 * copy_memory : 0);
  return memory_source(name, {.length = std::clamp(length, traits.shortest_length, kLongest)});
}

}  // namespace unroll::data
