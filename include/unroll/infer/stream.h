// Runs a trained model step by step, as in a real-time program.
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
template <class T>
struct StepConvolution;

/// N sequences in progress. Copy a stream to branch. After step t the outputs have the same bits
/// as Model::run gives for the first t steps of each sequence.
///
/// A Conv1d with a stride gives nothing at some steps, and one without padding gives nothing at the
/// first steps. The layers after it then keep their states. So the outputs stay the same until the
/// next step at which it gives something.
///
/// After construction, no function here allocates memory, takes a lock or starts a thread. The only
/// errors are ShapeError for spans of the wrong size, and ValueError for a sequence index out of
/// range or a number that is not a token. Nothing is changed then, and only the exception itself
/// takes memory. The functions of unroll/c.h report errors without allocating. Use a stream in one
/// thread at a time. Several streams of one model may run in several threads.
///
/// In silence states decay to subnormal numbers (below 1e-38 in f32). Some stay there for ever: a
/// unit that keeps 0.999 of its state per step stays at 7e-43. Steps stay correct, but many CPUs
/// need up to a hundred times longer for them. If the calling thread flushes subnormal numbers to
/// zero, as audio hosts do, states h and c below 2^-96 (2^-992 for double) become 0, here and in
/// Model::run, with the same bits on every machine (docs/numerics.md, rule 7). Each call reads the
/// mode. Without it subnormal numbers are kept.
template <class T>
class UNROLL_API Stream {
 public:
  /// Takes the next step of every sequence, in (N, I).
  void step(std::span<const T> in);
  /// Writes the outputs after the steps so far, (N, C). With every_step these are the outputs of
  /// the last step, or zeros before the first step.
  void outputs(std::span<T> out);
  /// step() and outputs() in one call.
  void step(std::span<const T> in, std::span<T> out);
  /// Takes `steps` steps and writes the outputs after each: in (steps, N, I), out (steps, N, C).
  void process(std::span<const T> in, std::span<T> out, std::size_t steps);

  void reset();                      ///< sets all sequences to their initial state
  void reset(std::size_t sequence);  ///< only this one; ValueError if out of range

  std::size_t count() const { return count_; }           ///< N
  std::size_t layers() const { return layers_.size(); }  ///< number of recurrent layers

  /// A recurrent layer's state h after the last step, (N, H), or (N, P) with a projection, and an
  /// LSTM's c, (N, H), which is empty for other cells. `layer` counts from the input and is below
  /// layers().
  std::span<const T> h(std::size_t layer) const { return layers_[layer].h; }
  std::span<const T> c(std::size_t layer) const { return layers_[layer].c; }
  /// Continues from this state. Throws ShapeError if the sizes do not fit.
  void set_state(std::size_t layer, std::span<const T> h, std::span<const T> c = {});

 private:
  friend class Model<T>;
  Stream(std::shared_ptr<const Compiled<T>> compiled, std::size_t count);
  void check_inputs(std::span<const T> in, std::size_t steps) const;
  void advance(const T* in, bool flush) noexcept;
  void emit(T* out) noexcept;
  const T* stage(std::size_t i, const T* in, bool flush) noexcept;
  const T* recurrent(std::size_t i, const Recurrent<T>& stage, const T* in, bool flush) noexcept;
  const T* convolve(std::size_t i, const StepConvolution<T>& stage, const T* in) noexcept;
  void begin(std::size_t sequence) noexcept;

  struct Layer {
    std::vector<T> h, next_h, c, next_c;
    std::shared_ptr<const kernels::StepPlan> plan;
    std::vector<std::uint8_t> started;  // for each sequence: whether it has a state, not just zeros
  };

  std::shared_ptr<const Compiled<T>> compiled_;
  std::size_t count_;
  std::vector<Layer> layers_;
  std::vector<std::uint64_t> steps_;  // of each sequence
  std::vector<T> read_;               // gathered by the readout
  std::vector<T> current_, next_;     // data between layers
  // for each layer: its input, if a residual connection adds it later
  std::vector<std::vector<T>> kept_;
  // for each convolution: the last steps that it read, (N, 2 span, I). Every step stands there
  // twice, so that the last steps are always side by side.
  std::vector<std::vector<T>> windows_;
  std::vector<std::uint8_t> active_;  // for each sequence: whether the current stage has a step
  std::vector<std::uint8_t> groups_;  // scratch: how a recurrent layer treats each sequence
  std::vector<T> scratch_;
};

}  // namespace unroll::infer
