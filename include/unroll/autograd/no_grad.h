// Switching the recording of operations off.
#pragma once

namespace unroll {

/// While one lives, this thread records nothing and results require no gradient.
/// Source: https://pytorch.org/docs/stable/generated/torch.no_grad.html
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// True where operations are recorded.
bool grad_enabled();

}  // namespace unroll
