// How many cores this process may keep busy.
#pragma once

#include <optional>
#include <string>

namespace unroll {

/// The cores that the process's affinity allows, or fewer where cgroup_cores() says so; at least 1.
int allowed_cores();

/// The smallest CPU quota along the process's control groups, of version 2 (cpu.max) or 1
/// (cpu.cfs_quota_us / cpu.cfs_period_us), in cores rounded up; nothing where there is none. What
/// can't be read or understood is no quota. `root` is where /proc and /sys are.
/// Source: https://docs.kernel.org/admin-guide/cgroup-v2.html and scheduler/sched-bwc.html
std::optional<int> cgroup_cores(const std::string& root = "");

}  // namespace unroll
