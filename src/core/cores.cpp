#include "core/cores.h"

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string_view>

namespace unroll {
namespace {

/// The smallest quota seen so far.
struct Smallest {
  std::optional<int> cores;

  void add(std::int64_t quota, std::int64_t period) {
    if (quota <= 0 || period <= 0) return;  // -1 in version 1: no quota
    const std::int64_t up = quota / period + (quota % period != 0);
    constexpr std::int64_t limit = std::numeric_limits<int>::max();
    cores = static_cast<int>(std::min(up, static_cast<std::int64_t>(cores.value_or(limit))));
  }
};

bool read_number(std::istream&& file, std::int64_t& number) {
  return static_cast<bool>(file >> number);
}

void add_version_2(const std::string& group, Smallest& smallest) {
  std::ifstream file(group + "/cpu.max");  // "150000 100000" or "max 100000"
  std::int64_t quota = 0, period = 0;
  if (file >> quota >> period) smallest.add(quota, period);
}

void add_version_1(const std::string& group, Smallest& smallest) {
  std::int64_t quota = 0, period = 0;
  if (read_number(std::ifstream(group + "/cpu.cfs_quota_us"), quota) &&
      read_number(std::ifstream(group + "/cpu.cfs_period_us"), period))
    smallest.add(quota, period);
}

/// Calls add for the group and every group above it, because each may have its own quota. In a
/// container the path is often a path of the host, and only the root exists.
template <class Add>
void climb(const std::string& mount, std::string path, Smallest& smallest, Add add) {
  if (path.find("/..") != std::string::npos) path.clear();  // outside this namespace
  while (!path.empty() && path != "/") {
    add(mount + path, smallest);
    path.erase(path.rfind('/'));
  }
  add(mount, smallest);
}

bool names_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == "cpu") return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

}  // namespace

std::optional<int> cgroup_cores(const std::string& root) {
  Smallest smallest;
  const std::string mount = root + "/sys/fs/cgroup";
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "0::/path" or "3:cpu,cpuacct:/path"
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || line.compare(second + 1, 1, "/") != 0) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty())
      climb(mount, path, smallest, add_version_2);
    else if (names_cpu(controllers))
      for (const std::string& name : {std::string("cpu"), controllers})
        climb(mount + "/" + name, path, smallest, add_version_1);
  }
  return smallest.cores;
}

int allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return std::max(1, std::min(allowed, cgroup_cores().value_or(allowed)));
}

}  // namespace unroll
