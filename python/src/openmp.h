// What code that runs in PyTorch's OpenMP team may ask of it.
#pragma once

namespace unroll::python {

/// In this scope the team is the calling thread alone, if `wanted`. A team of busy threads takes
/// microseconds to meet, and far longer on a machine with other programs.
class OnOneThread {
 public:
  explicit OnOneThread(bool wanted) noexcept;
  ~OnOneThread();
  OnOneThread(const OnOneThread&) = delete;
  OnOneThread& operator=(const OnOneThread&) = delete;

 private:
  bool wanted_;
};

}  // namespace unroll::python
