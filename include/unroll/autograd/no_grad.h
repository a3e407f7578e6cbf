// Turns the recording of operations off.
#pragma once

#include "unroll/core/api.h"

namespace unroll {

/// While a NoGrad lives, its thread records no operations, and results require no gradient.
/// Source: https://pytorch.org/docs/stable/generated/torch.no_grad.html
class UNROLL_API NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// Whether this thread records operations.
UNROLL_API bool grad_enabled();

}  // namespace unroll
