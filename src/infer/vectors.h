// The stages that see vectors or images.
#pragma once

#include "infer/compiled.h"

namespace unroll::infer {

/// Runs the stages from `first` on for some rows at a time, on all threads.
template <class T>
class VectorRun {
 public:
  VectorRun(const Compiled<T>& model, std::size_t first, std::size_t rows);

  /// in (rows, I of the first stage) without gaps, for no more rows than were said; the result
  /// (rows, C) stays valid until the next call.
  const T* operator()(const T* in, std::size_t rows);

  /// The numbers of the largest thing that comes out of a stage.
  static std::size_t row_size(const Compiled<T>& model, std::size_t first);

 private:
  bool run(const ImageStage<T>& stage, std::size_t rows, const T* in, T* out);

  const Compiled<T>& model_;
  std::size_t first_;
  std::vector<T> one_, other_, scratch_;
  std::vector<std::vector<T>> kept_;  // of each stage, what flowed into it, where it is added later
};

}  // namespace unroll::infer
