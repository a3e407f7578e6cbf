// The stages that read sequences: recurrent layers, and stages on single steps. They run for
// several sequences at a time.
//
// A block of steps goes through all stages before the next block. So memory is bounded, and a layer
// reads its input from the cache. Layers keep their states between blocks. A bidirectional layer
// and a convolution over steps need all steps in one block. A convolution may change the number of
// steps for the stages after it.
#pragma once

#include "infer/compiled.h"
#include "kernels/stack.h"

namespace unroll::infer {

/// Sequences of T steps, longest first.
template <class T>
struct Sequences {
  kernels::Sequence<const T> input;      // (T, N, I)
  std::size_t rows = 0;                  // N
  const std::size_t* lengths = nullptr;  // (N), descending; null: all are T
};

template <class T>
class SequenceRun {
 public:
  /// For at most `rows` sequences of `steps` steps. With `flush` tiny states become 0
  /// (RecurrentShape::flush_states).
  SequenceRun(const Compiled<T>& model, std::size_t rows, std::size_t steps, bool flush);

  /// The number of sequences of `steps` steps to run at a time.
  static std::size_t rows_at_once(const Compiled<T>& model, std::size_t rows, std::size_t steps);

  /// Runs all steps. If the model gives sequences, calls sink(t, outputs, row, rows) for each step
  /// in order: outputs is (rows, C), `row` elements apart, for the rows that have this step.
  /// Otherwise result() holds the result afterwards.
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

  /// The result of the readout, (rows, F).
  const T* result() const { return result_.data(); }

 private:
  struct State {
    std::vector<T> h, c;  // (L D, rows, P), (L D, rows, H)
  };

  std::size_t begin_block(const Sequences<T>& sequences, std::size_t first, std::size_t count);
  void stage(std::size_t i);
  void keep(std::size_t i);
  void recurrent(const Recurrent<T>& stage, State& state);
  void convolve(const StepConvolution<T>& stage);
  void gather_all(spec::Readout readout, std::size_t width);
  void finish_readout(const Sequences<T>& sequences);
  std::size_t rows_with(std::size_t t) const;
  kernels::Sequence<T> other(std::size_t width);
  void use(kernels::Sequence<T> made);

  const Compiled<T>& model_;
  std::size_t rows_, steps_, stages_, block_;
  bool flush_;
  std::vector<State> states_;  // of each stage; empty if it is not recurrent
  std::size_t between_;        // elements of one_ and of other_; stages alternate between the two
  std::vector<T> one_, other_, stack_, gathered_, result_, padded_;
  // for each stage: its input, if a residual connection adds it later
  std::vector<std::vector<T>> kept_;

  // The current block: its first step, its number of steps, and its active rows.
  std::size_t first_ = 0, count_ = 0, active_ = 0;
  std::vector<std::size_t> lengths_;
  bool ragged_ = false;
  kernels::Sequence<const T> x_;  // current data, (count, active, F)
};

}  // namespace unroll::infer
