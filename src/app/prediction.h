// A model's prediction for one input, and how it is printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unroll/spec/model_spec.h"

namespace unroll::app {

struct Prediction {
  std::size_t best;
  std::vector<double> values;  // probabilities, or raw scores
  bool scores;

  const char* name() const { return scores ? "score" : "probability"; }
};

/// T is float or double.
template <class T>
Prediction prediction_of(spec::Output kind, std::span<const T> outputs);

/// Prints predictions, as text or as lines of JSON.
struct PredictionPrinter {
  bool json = false;
  std::vector<std::string> names = {};  ///< of the classes; may be empty

  /// A line that begins with the sample: "image 7". `with_all` adds the values of all classes. The
  /// label is the true class, if it is known.
  void line(const char* kind, std::int64_t number, const Prediction& p, bool with_all = false,
            std::optional<std::int64_t> label = {}) const;
  /// A line for each class, below line(). JSON already has these values.
  void classes(const Prediction& p) const;
  /// The outputs of a regression, and the targets if they are known. T is float or double.
  template <class T>
  void values(const char* kind, std::int64_t number, std::span<const T> outputs,
              std::span<const T> targets) const;
  /// The class predicted at each step that has a target, or at every step without targets.
  void classes_of_steps(const char* kind, std::int64_t number,
                        const std::vector<std::int64_t>& predicted,
                        const std::vector<std::int64_t>& targets) const;

 private:
  std::string class_text(std::size_t number) const;  // "7", or "7 (seven)"
};

}  // namespace unroll::app
