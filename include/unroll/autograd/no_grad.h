// Switching the recording of operations off.
#pragma once

#include "unroll/core/api.h"

namespace unroll {

/// While one lives, this thread records nothing and results require no gradient.
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

/// True where operations are recorded.
UNROLL_API bool grad_enabled();

}  // namespace unroll
