// Going through a test set with a trained model.
#pragma once

#include <cstdint>
#include <vector>

#include "unroll/data/dataset.h"
#include "unroll/infer/model.h"

namespace unroll::train {

struct Evaluation {
  std::int64_t correct = 0, total = 0;
  double loss = 0;                        // mean cross-entropy, or squared error of scores
  std::vector<std::int64_t> predictions;  // the class with the largest output, the first of equals

  double accuracy() const {
    return 100.0 * static_cast<double>(correct) / static_cast<double>(total);
  }
};

/// Gives each image to the model as its description says. `logits` receives (count, C) where it is
/// not null.
/// Throws ShapeError where images and model don't fit.
template <class T>
Evaluation evaluate(const infer::Model<T>& model, const data::Dataset& set,
                    std::vector<T>* logits = nullptr);

/// Counts of (true class, predicted class), and what is read off them.
struct ConfusionMatrix {
  ConfusionMatrix(const data::Dataset& set, const Evaluation& evaluation, std::int64_t classes);

  std::int64_t at(std::int64_t truth, std::int64_t predicted) const {
    return counts[static_cast<std::size_t>(truth * classes + predicted)];
  }
  struct Scores {
    double precision, recall, f1;  // 0 where nothing was predicted or present
    std::int64_t count;            // samples of the class
  };
  Scores scores(std::int64_t of) const;

  std::int64_t classes;
  std::vector<std::int64_t> counts;  // (classes, classes)
};

}  // namespace unroll::train
