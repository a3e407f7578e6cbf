// Learning-rate schedules: factors on the learning rate as functions of the step, for
// Optimizer::set_lr_factor. Steps count from 0. All functions below throw ValueError for a number
// of steps below 1, for another number that is not finite, and for a divisor that is not above 0.
#pragma once

#include <cstdint>
#include <functional>

#include "unroll/core/api.h"

namespace unroll::optim {

using Schedule = std::function<double(std::int64_t step)>;

/// Always 1.
UNROLL_API Schedule constant_schedule();

/// gamma^(step / step_size), with the quotient rounded down.
/// Source: https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
UNROLL_API Schedule step_schedule(std::int64_t step_size, double gamma);

/// gamma^step.
/// Source: https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
UNROLL_API Schedule exponential_schedule(double gamma);

/// low + (1 - low) (1 + cos(pi step / total)) / 2.
/// Source:
/// https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html
UNROLL_API Schedule cosine_schedule(std::int64_t total, double low = 0);

/// Linear from `start` to `end` over `total` steps, then `end`.
/// Source: https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
UNROLL_API Schedule linear_schedule(double start, double end, std::int64_t total);

/// Rises from 1/div_factor to 1 over the first pct_start of the steps, then falls to 1/(div_factor
/// final_div_factor), both along half a cosine. The optimizer's learning rate is the
/// largest one.
/// Source: https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html
UNROLL_API Schedule one_cycle_schedule(std::int64_t total, double pct_start = 0.3,
                                       double div_factor = 25, double final_div_factor = 1e4);

/// Rises linearly over the first `warmup` share of the steps, then falls linearly. It reaches 0
/// after the last step.
UNROLL_API Schedule warmup_linear_schedule(std::int64_t total, double warmup = 0.1);

}  // namespace unroll::optim
