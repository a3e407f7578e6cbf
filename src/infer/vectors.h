// The stages that read vectors or images.
#pragma once

#include "infer/compiled.h"

namespace unroll::infer {

/// Runs the stages from `first` on for several rows at a time, on all threads.
template <class T>
class VectorRun {
 public:
  VectorRun(const Compiled<T>& model, std::size_t first, std::size_t rows);

  /// `in` is (rows, I of the first stage) without gaps, with at most the constructor's number of
  /// rows. The result (rows, C) is valid until the next call.
  const T* operator()(const T* in, std::size_t rows);

  /// The size of the largest output of a stage.
  static std::size_t row_size(const Compiled<T>& model, std::size_t first);

 private:
  bool run(const ImageStage<T>& stage, std::size_t rows, const T* in, T* out);

  const Compiled<T>& model_;
  std::size_t first_;
  std::vector<T> one_, other_, scratch_;
  // for each stage: its input, if a residual connection adds it later
  std::vector<std::vector<T>> kept_;
};

}  // namespace unroll::infer
