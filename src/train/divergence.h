// A run whose loss grows without bounds.
#pragma once

#include <string>
#include <string_view>

#include "train/config.h"
#include "train/step_result.h"

namespace unroll::train {

/// The flags that may keep such a run from diverging again. It names --clip-norm only where no norm
/// is set.
std::string remedy_for_divergence(const Config& config);

/// Why a run stopped, and the remedy. `what` goes behind the numbers of the failed step. `before`
/// is the step before it; its number is 0 if there was none.
std::string divergence_text(const StepResult& failed, std::string_view what,
                            const StepResult& before, const Config& config);

/// A number in this text. A NaN gets no sign.
std::string number_text(double value);

}  // namespace unroll::train
