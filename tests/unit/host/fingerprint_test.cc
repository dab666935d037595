// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/fingerprint.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using nlohmann::json;

bool IsMissing(const json& value) {
  return value.is_object() && value.contains("missing_because") &&
         !value["missing_because"].get<std::string>().empty();
}

// A cgroup may be called anything.
TEST(Fingerprint, IsUtf8WhateverTheFilesHold) {
  const FakeHost host("intel_ple");
  host.Write("/proc/self/cgroup", "0::/a\xff\n");
  const json fingerprint = Fingerprint(host.root());
  EXPECT_EQ(json::parse(fingerprint.dump()), fingerprint);
  EXPECT_EQ(fingerprint["cgroup"]["hierarchies"][0], "0::/a\xef\xbf\xbd");
}

TEST(Fingerprint, DescribesARecordedIntelHost) {
  const json host = Fingerprint(RecordedHost("intel_ple"));
  EXPECT_EQ(host["cpu"]["vendor"], "GenuineIntel");
  EXPECT_EQ(host["cpu"]["model_name"], "Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz");
  EXPECT_EQ(host["cpu"]["family"], 6);
  EXPECT_EQ(host["cpu"]["model"], 60);
  EXPECT_EQ(host["cpu"]["stepping"], 3);
  EXPECT_EQ(host["cpu"]["ple"], true);
  EXPECT_EQ(host["cpu"]["hypervisor"], false);
  EXPECT_EQ(host["cpus_online"], "0");
  EXPECT_EQ(host["smt"]["control"], "notsupported");
  EXPECT_EQ(host["clocksource"], "tsc");
  EXPECT_EQ(host["kernel"]["release"], "6.1.0-56-cloud-amd64");
  EXPECT_EQ(host["kernel_fixes"]["32bd348be3fa"], "not_affected");
  EXPECT_EQ(host["kernel_fixes"]["79104becf42b"], "no");
  EXPECT_EQ(host["module"]["name"], "kvm_intel");
  EXPECT_EQ(host["module"]["built_in"], false);
  EXPECT_EQ(host["module"]["params"].size(), 26U);
  EXPECT_EQ(host["module"]["params"]["ple_gap"], "128");
  EXPECT_EQ(host["kvm_params"]["halt_poll_ns"], "200000");
  EXPECT_EQ(host["mitigations"]["meltdown"], "Vulnerable");
  EXPECT_EQ(host["cgroup"]["hierarchies"],
            json::array({"0::/user.slice/user-0.slice/session-1.scope"}));
  EXPECT_EQ(host["cgroup"]["controllers"], "cpuset cpu memory pids");
  EXPECT_EQ(host["lab"], "bochs-2.7/corei7_haswell_4770/ips=200000000");
}

TEST(Fingerprint, SaysWhatDirectedYieldsDependOn) {
  const FakeHost host("intel_ple");
  host.Write("/sys/kernel/debug/sched/features", "NO_HRTICK\n");
  host.Write("/sys/kernel/debug/sched/preempt", "none voluntary (full) \n");
  host.Write("/sys/kernel/debug/sched/min_granularity_ns", "3000000\n");
  const json scheduler = Fingerprint(host.root())["scheduler"];
  EXPECT_EQ(scheduler["forfeits_on_yield"], "no");
  EXPECT_EQ(scheduler["hrtick"], "no");
  EXPECT_EQ(scheduler["flat_pick"], "no");
  EXPECT_EQ(scheduler["sched_ext"], "none");
  EXPECT_EQ(scheduler["preemption"], "full");
  EXPECT_EQ(scheduler["base_slice_ns"], 3000000);
}

TEST(Fingerprint, TheLabsOwnFactsComeBeforeItsKernels) {
  const FakeHost host("intel_ple");
  const json description = Fingerprint(host.root())["lab"];
  ASSERT_TRUE(description.is_string());
  host.Write("/run/plectl-lab.json", R"({"engine": "bochs-2.7", "seed": 3})");
  EXPECT_EQ(Fingerprint(host.root())["lab"], json({{"engine", "bochs-2.7"}, {"seed", 3}}));
  for (const char* damaged : {"", "nonsense", "[1]", "\"text\"", "{\"engine\": \"\xff\"}", "{"}) {
    host.Write("/run/plectl-lab.json", damaged);
    EXPECT_EQ(Fingerprint(host.root())["lab"], description) << damaged;
  }
}

TEST(Fingerprint, ARealHostIsNoLabWhateverAFileSays) {
  const FakeHost host("amd_no_threshold");
  host.Write("/run/plectl-lab.json", R"({"engine": "bochs-2.7"})");
  EXPECT_EQ(Fingerprint(host.root())["lab"], nullptr);
}

TEST(Fingerprint, SaysWhatItCouldNotRead) {
  const json host = Fingerprint(RecordedHost("intel_ple"));
  EXPECT_TRUE(IsMissing(host["governor"]));
  EXPECT_TRUE(IsMissing(host["no_turbo"]));
  EXPECT_TRUE(IsMissing(host["cpu"]["microcode"]));
  EXPECT_TRUE(IsMissing(host["tsc_khz"]));
}

TEST(Fingerprint, TellsTheAmdFilters) {
  const json without = Fingerprint(RecordedHost("amd_no_threshold"));
  EXPECT_EQ(without["cpu"]["pausefilter"], true);
  EXPECT_EQ(without["cpu"]["pfthreshold"], false);
  EXPECT_FALSE(without["cpu"].contains("ple"));
  EXPECT_EQ(without["lab"], nullptr);
  EXPECT_EQ(Fingerprint(RecordedHost("amd_threshold"))["cpu"]["pfthreshold"], true);
}

TEST(Fingerprint, WorksWithoutKvmAndOnAnEmptyTree) {
  EXPECT_TRUE(IsMissing(Fingerprint(RecordedHost("no_kvm"))["module"]));
  const json nothing = Fingerprint(HostRoot("/nonexistent"));
  for (const char* key :
       {"cpu", "module", "kvm_params", "mitigations", "cgroup", "lab", "cpus_online", "governor"}) {
    EXPECT_TRUE(IsMissing(nothing[key])) << key;
  }
  EXPECT_EQ(nothing["kernel_fixes"]["32bd348be3fa"], "unknown");
}

TEST(Fingerprint, CanBeDumpedWhateverTheFilesHold) {
  const FakeHost host("intel_ple");
  host.Write("/proc/cmdline", "plectl.lab=\xff\xfe quiet");
  host.Write("/proc/cpuinfo", std::string("\n\n:::\n\0model name\t: \x80", 20));
  host.Write("/proc/self/cgroup", "0::\n\n::::\n");
  const std::string text =
      Fingerprint(host.root()).dump(-1, ' ', false, json::error_handler_t::replace);
  EXPECT_FALSE(text.empty());
}

}  // namespace
}  // namespace plectl::host
