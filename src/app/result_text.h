// The result of a test as lines of text.
#pragma once

#include <string>
#include <vector>

#include "train/evaluation.h"

namespace unroll::app {

/// "Test", "Validation", "Training"
std::string title_of(data::Split part);

/// "validation accuracy 88.24 %": the first metric. "" if there is none.
std::string first_result(const train::Evaluation& e);

/// "most frequent class, accuracy 33.33 %"
std::string baseline_text(const train::Baseline& baseline);

/// A sentence for each simple prediction that is as good as the model, or better.
std::vector<std::string> verdicts(const train::Evaluation& e);

/// The lines of a result. `when` follows the metric's name, as in " after step 10"; `remark` ends
/// each line. Detailed results have all metrics in one line, with baselines, and a line of its own
/// for whole series:
///
///     Test accuracy: 87.30 % (124 of 142; 95 % interval 80.9 to 91.8), macro-F1 0.871; most
///     frequent class 14.29 %
///
/// Each baseline that the model does not beat is a line behind them. Other results have a line for
/// each metric; those without a confusion matrix also one for the loss.
std::vector<std::string> result_lines(const train::Evaluation& e, const std::string& when = "",
                                      const std::string& remark = "");

}  // namespace unroll::app
