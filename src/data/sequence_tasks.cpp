#include "unroll/data/sequence_tasks.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/parallel.h"
#include "core/philox.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

// The second word of Philox's counters, apart from those of generators and masks of the same seed.
enum class Domain : std::uint32_t { adding = 0x41444400, copy = 0x43505900 };

constexpr std::size_t kSequencesPerTask = 4;

void check(const char* name, const SequenceTask& task, std::int64_t first, std::int64_t count,
           std::int64_t shortest, std::int64_t more_steps, std::int64_t numbers_a_step) {
  constexpr std::int64_t kLongest = 1 << 20, kMostNumbers = std::int64_t{1} << 31;
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

/// The random words of one sequence, four to a block.
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

/// Uniform in 0 to n - 1, to within n / 2^32.
std::int64_t below(std::int64_t n, std::uint32_t word) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(n) * word >> 32);
}

/// Uniform in [0, 1), of 24 bits.
float unit(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// inputs (T, 2) of one sequence; returns its target.
template <class T>
T fill_adding(const Words& words, std::int64_t length, T* inputs) {
  constexpr std::uint32_t kMarksBlock = 0xffffffff;  // behind those of the numbers
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

/// inputs (T + 20, 10) and targets (T + 20) of one sequence.
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

}  // namespace

SequenceBatch adding(const SequenceTask& task, std::int64_t first, std::int64_t count) {
  check("adding", task, first, count, 2, 0, 2);
  const SequenceBatch batch{Tensor::empty({count, task.length, 2}, task.dtype),
                            Tensor::empty({count, 1}, task.dtype)};
  dispatch("adding", task.dtype, [&]<class T>(T*) {
    T* const inputs = batch.inputs.data<T>();
    T* const targets = batch.targets.data<T>();
    parallel_pieces(static_cast<std::size_t>(count), kSequencesPerTask,
                    [&](std::size_t begin, std::size_t end) {
                      for (auto i = static_cast<std::int64_t>(begin);
                           i < static_cast<std::int64_t>(end); ++i)
                        targets[i] = fill_adding(Words(task, Domain::adding, first + i),
                                                 task.length, inputs + i * 2 * task.length);
                    });
  });
  return batch;
}

SequenceBatch copying(const SequenceTask& task, std::int64_t first, std::int64_t count) {
  check("copy", task, first, count, 1, 2 * copy_memory, copy_alphabet);
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
                        fill_copy(Words(task, Domain::copy, first + i), task.length,
                                  inputs + i * steps * copy_alphabet, targets + i * steps);
                    });
  });
  return batch;
}

}  // namespace unroll::data
