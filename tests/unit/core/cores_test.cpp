#include "core/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

#include "support/temporary_folder.h"

namespace unroll {
namespace {

/// A machine's /proc and /sys, as far as control groups go.
struct Machine {
  test::TemporaryFolder root;

  /// What /proc/self/cgroup says.
  explicit Machine(const std::string& groups) { root.write("proc/self/cgroup", groups); }
  /// A file below /sys/fs/cgroup.
  Machine& with(const std::string& path, const std::string& content) {
    root.write("sys/fs/cgroup/" + path, content);
    return *this;
  }
  std::optional<int> cores() const { return cgroup_cores(root.path()); }
};

TEST(CgroupCores, Version2) {
  const auto with_quota = [](const std::string& text) {
    return Machine("0::/user.slice/run\n").with("user.slice/run/cpu.max", text).cores();
  };
  EXPECT_EQ(with_quota("150000 100000\n"), 2);
  EXPECT_EQ(with_quota("100000 100000\n"), 1);
  EXPECT_EQ(with_quota("50000 100000\n"), 1);
  EXPECT_EQ(with_quota("300000 100000\n"), 3);
  EXPECT_EQ(with_quota("max 100000\n"), std::nullopt);
}

TEST(CgroupCores, WhatMakesNoSenseIsNoQuota) {
  for (const char* text : {"", "\n", "garbage", "150000", "150000 0", "-1 100000", "0 100000",
                           "100000 -1", "99999999999999999999 100000", "1e5 100000"})
    EXPECT_EQ(Machine("0::/\n").with("cpu.max", text).cores(), std::nullopt) << text;
  for (const char* groups : {"", "\n", "0:", "0::", "0::run", ":::", "0::/run"})
    EXPECT_EQ(Machine(groups).with("run/cpu.cfs_quota_us", "100000").cores(), std::nullopt)
        << groups;
  EXPECT_EQ(Machine("").with("cpu.max", "100000 100000").cores(), std::nullopt);
  EXPECT_EQ(cgroup_cores(test::TemporaryFolder().path()), std::nullopt);
}

TEST(CgroupCores, TheSmallestOnTheWayUp) {
  Machine machine("0::/a/b/c\n");
  machine.with("a/b/c/cpu.max", "max 100000").with("a/b/cpu.max", "700000 100000");
  EXPECT_EQ(machine.cores(), 7);
  machine.with("a/cpu.max", "250000 100000");
  EXPECT_EQ(machine.cores(), 3);
  machine.with("cpu.max", "400000 100000").with("other/cpu.max", "100000 100000");
  EXPECT_EQ(machine.cores(), 3);
}

// In a container: the path is the host's, what is mounted is the container's own group.
TEST(CgroupCores, PathsFromElsewhere) {
  EXPECT_EQ(Machine("0::/docker/1234\n").with("cpu.max", "200000 100000").cores(), 2);
  EXPECT_EQ(Machine("0::/../../pod\n").with("cpu.max", "200000 100000").cores(), 2);
}

TEST(CgroupCores, Version1) {
  const std::string groups = "12:memory:/run\n4:cpu,cpuacct:/run\n1:name=systemd:/\n0::/run\n";
  const auto with_quota = [&](const std::string& folder, const std::string& quota) {
    return Machine(groups)
        .with(folder + "cpu.cfs_quota_us", quota)
        .with(folder + "cpu.cfs_period_us", "50000\n")
        .cores();
  };
  for (const char* folder : {"cpu,cpuacct/run/", "cpu/run/", "cpu,cpuacct/", "cpu/"}) {
    EXPECT_EQ(with_quota(folder, "150000\n"), 3) << folder;
    EXPECT_EQ(with_quota(folder, "-1\n"), std::nullopt) << folder;
  }
  EXPECT_EQ(with_quota("memory/run/", "150000\n"), std::nullopt);
  EXPECT_EQ(Machine(groups).with("cpu/cpu.cfs_quota_us", "150000").cores(), std::nullopt);
  EXPECT_EQ(Machine("5:cpuset:/run\n")
                .with("cpuset/cpu.cfs_quota_us", "100000")
                .with("cpuset/cpu.cfs_period_us", "100000")
                .cores(),
            std::nullopt);
}

TEST(AllowedCores, NoMoreThanTheAffinity) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(allowed_cores(), 1);
  EXPECT_LE(allowed_cores(), CPU_COUNT(&before));
  std::thread([&] {  // the affinity is a thread's
    int first = 0;
    while (!CPU_ISSET(first, &before)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(allowed_cores(), 1);
  })
      .join();
}

}  // namespace
}  // namespace unroll
