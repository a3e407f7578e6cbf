// Running a trained model: whole sequences, or one time step after the other. Needs no tape,
// optimizer, data or network code.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::infer {

template <class T>
class Stream;

/// A model ready to run; immutable, cheap to copy, usable from several threads. T is float or
/// double: the arithmetic, whatever type the weights were stored in.
template <class T>
class Model {
 public:
  /// From a description and its weights, which are copied.
  /// Throws FormatError listing every weight that is missing, left over or of another shape.
  Model(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights);

  /// From a file written by Unroll. Throws FileError, FormatError.
  static Model load(const std::string& path);

  const spec::ModelSpec& description() const;

  /// logits = readout(h_T) of each sequence. input (N, T, I) row by row; logits (N, C).
  /// Throws ShapeError where the sizes don't fit.
  void run(std::span<const T> input, std::size_t batch, std::size_t steps,
           std::span<T> logits) const;

  /// One sequence, step by step, from a state of zeros.
  Stream<T> stream() const;

 private:
  friend class Stream<T>;
  struct Packed;
  std::shared_ptr<const Packed> packed_;
};

/// One sequence in progress; copy it to branch. The logits after step t have the same bits as
/// Model::run on the first t steps.
template <class T>
class Stream {
 public:
  /// Takes the next input of I numbers. Allocates nothing, as all here. Throws ShapeError where the
  /// sizes don't fit.
  void step(std::span<const T> in);
  /// Writes the C logits of the sequence so far.
  void logits(std::span<T> out) const;
  /// Both in one.
  void step(std::span<const T> in, std::span<T> out);
  void reset();                                    ///< back to a state of zeros
  std::span<const T> state() const { return h_; }  ///< (L, H), after the last step

 private:
  friend class Model<T>;
  explicit Stream(std::shared_ptr<const typename Model<T>::Packed> packed);
  void check_logits(std::span<T> out) const;

  std::shared_ptr<const typename Model<T>::Packed> packed_;
  std::vector<T> h_, next_;
  bool started_ = false;
};

}  // namespace unroll::infer
