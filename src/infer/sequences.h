// The stages that a sequence flows into: recurrent layers and those that work on each step by
// itself, for a number of sequences at a time.
//
// Sequences go through all stages a block of steps at a time, so that memory stays bounded and what
// a layer hands to the next one is still in the cache; between blocks a layer's states are kept. A
// layer that also goes backwards needs all steps at once.
#pragma once

#include "infer/compiled.h"
#include "kernels/recurrent.h"

namespace unroll::infer {

/// Some sequences of T steps, the longest first.
template <class T>
struct Sequences {
  kernels::Sequence<const T> input;      // (T, N, I)
  std::size_t rows = 0;                  // N
  const std::size_t* lengths = nullptr;  // (N) descending; null: all are T
};

template <class T>
class SequenceRun {
 public:
  /// For so many sequences at most, of so many steps. With `flush` tiny states are 0
  /// (RecurrentShape::flush_states).
  SequenceRun(const Compiled<T>& model, std::size_t rows, std::size_t steps, bool flush);

  /// How many sequences of so many steps to take at a time.
  static std::size_t rows_at_once(const Compiled<T>& model, std::size_t rows, std::size_t steps);

  /// All steps. Where the model gives sequences, sink(t, outputs, row, rows) gets those of each
  /// step in order: (rows, C), so many elements apart, of the rows that have this step. Otherwise
  /// result() is valid then.
  template <class Sink>
  void operator()(const Sequences<T>& sequences, Sink&& sink) {
    for (std::size_t first = 0; first < steps_; first += block_) {
      const std::size_t count = std::min(block_, steps_ - first);
      const std::size_t active = begin_block(sequences, first, count);
      if (active == 0) break;
      for (std::size_t i = 0; i < stages_; ++i) stage(i);
      if (model_.gives_sequences())
        for (std::size_t t = 0; t < count; ++t) sink(first + t, x_.at(t, 0), x_.row, rows_with(t));
    }
    if (!model_.gives_sequences()) finish_readout(sequences);
  }

  /// (rows, F), what the readout gave.
  const T* result() const { return result_.data(); }

 private:
  struct State {
    std::vector<T> h, c;  // (rows, S), (rows, H)
  };

  std::size_t begin_block(const Sequences<T>& sequences, std::size_t first, std::size_t count);
  void stage(std::size_t i);
  void keep(std::size_t i);
  void recurrent(const Recurrent<T>& stage);
  void direction(const Direction<T>& d, const Recurrent<T>& stage, State& state,
                 kernels::Sequence<T> output, std::size_t slots);
  void gather_all(spec::Readout readout, std::size_t width);
  void finish_readout(const Sequences<T>& sequences);
  std::size_t rows_with(std::size_t t) const;
  kernels::Sequence<T> other(std::size_t width);
  void use(kernels::Sequence<T> made);

  const Compiled<T>& model_;
  std::size_t rows_, steps_, stages_, block_;
  bool flush_;
  std::vector<State> states_;  // of each direction of each layer of each recurrent stage
  std::size_t between_;        // elements of one_ and of other_, which take turns between stages
  std::vector<T> one_, other_, saved_, h_n_, c_n_, gathered_, result_;
  std::vector<std::vector<T>> kept_;  // of each stage, what flowed into it, where it is added later

  // The block: its first step, and how many it has of each sequence.
  std::size_t first_ = 0, count_ = 0, active_ = 0;
  std::vector<std::size_t> lengths_;
  bool ragged_ = false;
  kernels::Sequence<const T> x_;  // what flows, (count, active, F)
};

}  // namespace unroll::infer
