// The number of cores that this process may use.
#pragma once

#include <optional>
#include <string>

namespace unroll {

/// The number of cores in the process's affinity, but at most cgroup_cores(); at least 1.
int allowed_cores();

/// The smallest CPU quota of the process's control groups and those above them, in cores, rounded
/// up. Nothing if there is no quota. Reads version 2 (cpu.max) and 1 (cpu.cfs_quota_us /
/// cpu.cfs_period_us); files that can't be read or understood count as no quota. `root` is the
/// folder that holds /proc and /sys.
/// Source: https://docs.kernel.org/admin-guide/cgroup-v2.html and scheduler/sched-bwc.html
std::optional<int> cgroup_cores(const std::string& root = "");

}  // namespace unroll
