// Runs a trained model on whole inputs. Needs no tape, optimizer, data or network code.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "unroll/core/api.h"
#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::infer {

template <class T>
class Stream;
template <class T>
struct Compiled;

/// A model ready to run. It is immutable, cheap to copy, and usable from several threads. T, float
/// or double, is the type of the arithmetic; the weights may be stored in another type.
template <class T>
class UNROLL_API Model {
 public:
  /// Makes a model from a description and its weights, which are copied.
  /// Throws FormatError for an invalid description, and for weights that are missing, left over or
  /// of another shape, listing them all.
  Model(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights);

  /// Loads a file written by Unroll. Throws FileError; FormatError, naming the file, for an invalid
  /// file, and for weights that are NaN or infinite unless `allow_not_finite`.
  static Model load(const std::string& path, bool allow_not_finite = false);
  /// Loads the bytes of such a file. Errors show `name` as the path.
  static Model parse(std::vector<std::byte> bytes, const std::string& name,
                     bool allow_not_finite = false);

  const spec::ModelSpec& description() const;
  std::size_t inputs() const;  ///< I of a step, or all numbers of one input if it is not a sequence
  std::size_t outputs() const;  ///< C; for each step if the last readout is every_step

  /// Runs N = `batch` inputs, each on its own. Arrays are row-major.
  ///
  /// A model of sequences: input (N, T, I), out (N, C), or (N, T, C) with 0 past a sequence's end.
  /// Another model: input (N, I), with I = C H W for an image, steps 1, out (N, C).
  ///
  /// T = `steps` is at least 1. N = 0 does nothing.
  ///
  /// `lengths` has the number of steps of each sequence, 1 to T, in any order. Empty: all T. Memory
  /// is bounded for any N, and for any T unless the model is bidirectional or has a Conv1d. If the
  /// calling thread flushes to zero, tiny states become 0 (see Stream). Its other floating-point
  /// modes have no effect.
  ///
  /// For a model of tokens I is 1, and each input is a whole number from 0 to the number of tokens
  /// - 1, stored as a T. Throws ValueError for another number, except past a sequence's end;
  /// ShapeError if the sizes do not fit.
  void run(std::span<const T> input, std::size_t batch, std::size_t steps, std::span<T> out,
           std::span<const std::size_t> lengths = {}) const;

  /// Starts `count` sequences from their initial states, to run them step by step.
  /// Throws ValueError, with the reason, for a model that is bidirectional or reads no sequences,
  /// and for a count of 0.
  Stream<T> stream(std::size_t count = 1) const;

 private:
  std::shared_ptr<const Compiled<T>> compiled_;
};

}  // namespace unroll::infer
