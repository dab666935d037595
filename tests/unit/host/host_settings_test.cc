// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/host_settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

TEST(HostSettings, SaysWhatAnAdministratorSets) {
  const FakeHost host("intel_ple");
  host.Write("/proc/cmdline", "BOOT_IMAGE=/vmlinuz-6.1 initrd=/a ro  isolcpus=1\n");
  host.Write("/proc/self/status", "Name:\tplectl\nCpus_allowed_list:\t0,2-3\n");
  host.Write("/proc/self/cgroup", "0::/slow\n");
  host.Write("/sys/fs/cgroup/slow/cpu.max", "50000 100000\n");
  const std::string cpufreq = "/sys/devices/system/cpu/cpufreq/policy";
  for (const char* cpu : {"0", "1", "2"}) {
    const bool odd = cpu[0] == '1';
    host.Write(cpufreq + cpu + "/scaling_governor", odd ? "powersave\n" : "performance\n");
    host.Write(cpufreq + cpu + "/scaling_max_freq", "3400000\n");
  }
  host.Write("/proc/sys/kernel/numa_balancing", "0\n");
  const nlohmann::json settings = HostSettings(host.root());
  EXPECT_EQ(settings["command_line"], "ro isolcpus=1");
  EXPECT_EQ(settings["allowed_cpus"], "0,2-3");
  EXPECT_EQ(settings["cpu_quotas"], "cpu.max 50000 100000");
  EXPECT_EQ(settings["frequency"], "2 of performance 3400000, 1 of powersave 3400000");
  EXPECT_EQ(settings["numa_balancing"], "0");
  EXPECT_TRUE(settings["sched_autogroup"].contains("missing_because"));
}

}  // namespace
}  // namespace plectl::host
