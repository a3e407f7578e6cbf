// Running a part of a test in a process of its own, under limits that the others must not feel.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace unroll::test {

/// A forked copy of this process.
class ChildProcess {
 public:
  /// Runs `work` there; what it returns, or the message of what it throws, comes back from wait().
  explicit ChildProcess(const std::function<std::string()>& work);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// The text, or "signal N" if that ended it.
  std::string wait();

 private:
  pid_t id_ = -1;
  int pipe_ = -1;
};

/// Whether the address space can be limited: a sanitizer's shadow memory needs most of it.
constexpr bool can_limit_address_space() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // g++
  return false;
#else
#ifdef __has_feature  // clang
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return false;
#endif
#endif
  return true;
#endif
}

/// Lets this process have at most `bytes` more of address space than it has now.
void limit_address_space(std::uint64_t bytes);

}  // namespace unroll::test
