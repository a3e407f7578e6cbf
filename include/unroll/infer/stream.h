// Running a trained model step by step, as in a real-time program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "unroll/core/api.h"
#include "unroll/infer/model.h"

namespace unroll::kernels {
struct StepPlan;
}

namespace unroll::infer {

template <class T>
struct Recurrent;

/// Sequences in progress, N of them at once; copy it to branch. After step t the outputs have the
/// same bits as Model::run on the first t steps of each.
///
/// Once made, nothing here asks for memory, takes a lock or starts a thread. The only errors are
/// ShapeError for spans of the wrong size, and ValueError for a sequence that isn't there or for a
/// number that is no token of a model that reads tokens. Nothing has changed then, and only the
/// exception itself is memory; the functions of unroll/c.h refuse without it. One stream is for one
/// thread at a time; several streams of one model may run on as many threads.
///
/// In silence states die away, and end among the subnormal numbers (below 1e-38 in f32), where some
/// stay for ever: 7e-43 of a unit that keeps 0.999 of itself a step. Steps stay correct, but many
/// CPUs need up to a hundred times longer for them. A thread that has told its processor to flush
/// to zero, as audio hosts do, gets states h and c below 2^-96 (2^-992 for double) as 0, here and
/// from Model::run, with the same bits on every machine (docs/numerics.md, rule 7). The mode counts
/// step by step; without it subnormal numbers are kept.
template <class T>
class UNROLL_API Stream {
 public:
  /// Takes the next step of every sequence, in (N, I).
  void step(std::span<const T> in);
  /// Writes the outputs of the sequences so far, (N, C); with every_step those of the last step, or
  /// zeros before the first.
  void outputs(std::span<T> out);
  /// Both in one.
  void step(std::span<const T> in, std::span<T> out);
  /// A block of so many steps: in (steps, N, I), out (steps, N, C).
  void process(std::span<const T> in, std::span<T> out, std::size_t steps);

  void reset();                      ///< all sequences back to their beginning
  void reset(std::size_t sequence);  ///< this one alone. Throws ValueError where there is none

  std::size_t count() const { return count_; }           ///< N
  std::size_t layers() const { return layers_.size(); }  ///< recurrent ones, from the input on

  /// A layer's state after the last step, (N, H), or (N, P) where it is projected; and an LSTM's
  /// cell state, (N, H), which others have not. `layer` is below layers().
  std::span<const T> h(std::size_t layer) const { return layers_[layer].h; }
  std::span<const T> c(std::size_t layer) const { return layers_[layer].c; }
  /// Goes on from this state. Throws ShapeError where the sizes don't fit.
  void set_state(std::size_t layer, std::span<const T> h, std::span<const T> c = {});

 private:
  friend class Model<T>;
  Stream(std::shared_ptr<const Compiled<T>> compiled, std::size_t count);
  void check_inputs(std::span<const T> in, std::size_t steps) const;
  void advance(const T* in, bool flush) noexcept;
  void emit(T* out) noexcept;
  const T* stage(std::size_t i, const T* in, bool flush) noexcept;
  const T* recurrent(const Recurrent<T>& stage, const T* in, bool flush) noexcept;
  void begin(std::size_t sequence) noexcept;

  struct Layer {
    std::vector<T> h, next_h, c, next_c;
    std::shared_ptr<const kernels::StepPlan> plan;
  };

  std::shared_ptr<const Compiled<T>> compiled_;
  std::size_t count_;
  std::vector<Layer> layers_;
  std::vector<std::uint8_t> started_;  // of each sequence: whether its state is more than zeros
  std::vector<std::uint64_t> steps_;   // of each sequence
  std::vector<T> read_;                // what the readout gathers
  std::vector<T> current_, next_;      // what flows between layers
  std::vector<std::vector<T>> kept_;  // of each layer, what flowed into it, where it is added later
  std::vector<T> scratch_;
};

}  // namespace unroll::infer
