#include "bench/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace unroll::bench {

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (const auto colon = line.find(": ");
        line.starts_with("model name") && colon != std::string::npos)
      return line.substr(colon + 2);
  // On ARM, /proc/cpuinfo has numbers instead of a name.
  utsname system{};
  return ::uname(&system) == 0 ? system.machine : "unknown";
}

std::size_t l1_bytes() {
  return static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_LEVEL1_DCACHE_SIZE)));
}

std::size_t l2_bytes() {
  return static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_LEVEL2_CACHE_SIZE)));
}

}  // namespace unroll::bench
