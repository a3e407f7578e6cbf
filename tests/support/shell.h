// Other people's programs, if this machine has them.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace unroll::test {

inline bool is_there(const std::string& command) {
  return std::system(fmt::format("command -v '{}' >/dev/null 2>&1", command).c_str()) == 0;
}

struct Outcome {
  int status = -1;
  std::string text;
};

/// Runs a line for sh, and keeps both streams.
inline Outcome shell(const std::string& line) {
  Outcome outcome;
  FILE* const pipe = popen(fmt::format("exec 2>&1 </dev/null; {}", line).c_str(), "r");
  if (!pipe) return outcome;
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.text.append(buffer.data(), n);
  outcome.status = pclose(pipe);
  return outcome;
}

}  // namespace unroll::test
