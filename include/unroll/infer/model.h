// Running a trained model on whole inputs. Needs no tape, optimizer, data or network code.
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

/// A model ready to run; immutable, cheap to copy, usable from several threads. T is float or
/// double: the arithmetic, whatever type the weights were stored in.
template <class T>
class UNROLL_API Model {
 public:
  /// From a description and its weights, which are copied.
  /// Throws FormatError for a description that makes no sense, or listing every weight that is
  /// missing, left over or of another shape.
  Model(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights);

  /// From a file written by Unroll. Throws FileError; FormatError, naming the file, also for
  /// weights that are NaN or infinite unless `allow_not_finite`.
  static Model load(const std::string& path, bool allow_not_finite = false);
  /// The same from the bytes of such a file; `name` stands for the path in errors.
  static Model parse(std::vector<std::byte> bytes, const std::string& name,
                     bool allow_not_finite = false);

  const spec::ModelSpec& description() const;
  std::size_t inputs() const;   ///< I of a step, or all numbers of one input that is no sequence
  std::size_t outputs() const;  ///< C; of each step where the last readout is every_step

  /// Runs N inputs, each on its own. Of a model that reads sequences: input (N, T, I) row by row,
  /// out (N, C), or (N, T, C) with 0 past the end of a sequence. Of another one: input (N, I) with
  /// I = C H W of an image, steps 1, out (N, C). T is at least 1; an N of 0 does nothing.
  ///
  /// `lengths`, in any order, says how many of the T steps each sequence has; empty: all.
  /// Memory stays bounded for any N, and for any T unless the model is bidirectional. A caller that
  /// flushes to zero gets tiny states as 0 (see Stream); no other mode of its thread counts.
  ///
  /// Of a model that reads tokens I is 1, and each input is a whole number from 0 to the number of
  /// tokens - 1, as a T. Throws ValueError for any other, except past the end of a sequence; and
  /// ShapeError where the sizes don't fit.
  void run(std::span<const T> input, std::size_t batch, std::size_t steps, std::span<T> out,
           std::span<const std::size_t> lengths = {}) const;

  /// So many sequences at once, step by step, from their initial states.
  /// Throws ValueError, with the reason, for a model that needs all of a sequence at once: one that
  /// is bidirectional or reads no sequences; and for a count of 0.
  Stream<T> stream(std::size_t count = 1) const;

 private:
  std::shared_ptr<const Compiled<T>> compiled_;
};

}  // namespace unroll::infer
