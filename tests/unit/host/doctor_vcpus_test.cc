// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "host_tools/host/doctor_checks.h"
#include "tests/unit/host/doctor_support.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;

// Process 4242 of the recording holds a VM; its threads are added here.
class DoctorVcpus : public ::testing::Test {
 protected:
  void AddThread(int tid, const std::string& comm, const std::string& cpus, int policy = 0,
                 const std::string& cgroup = "/machine.slice/vm") const {
    const std::string folder = fmt::format("/proc/4242/task/{}", tid);
    host_.Write(folder + "/comm", comm + "\n");
    host_.Write(folder + "/status", fmt::format("Name:\t{}\nCpus_allowed_list:\t{}\n", comm, cpus));
    host_.Write(folder + "/cgroup", fmt::format("1:cpu:/\n0::{}\n", cgroup));
    std::string stat = fmt::format("{} ({}) S", tid, comm);
    for (int field = 4; field <= 40; ++field) stat += " 0";
    host_.Write(folder + "/stat", fmt::format("{} {} 0 0\n", stat, policy));
  }
  FakeHost host_{"intel_busy"};
};

TEST_F(DoctorVcpus, OfOvercommittedVmsAreFine) {
  AddThread(4242, "qemu-system-x86", "0-7");
  AddThread(4243, "CPU 0/KVM", "0-3");
  AddThread(4244, "CPU 1/KVM", "0-3");
  const CheckResult threads = Look(host_, "vcpu_threads");
  ExpectVerdict(threads, Verdict::kOk);
  EXPECT_EQ(threads.seen, "2 vCPU threads of 1 VMs, which may share CPUs");
  EXPECT_EQ(Look(host_, "vcpu_cgroups").seen,
            "2 vCPU threads of 1 VMs in 1 cgroups, e.g. /machine.slice/vm");
}

TEST_F(DoctorVcpus, PinnedOneToOneHaveNobodyToYieldTo) {
  AddThread(4243, "CPU 0/KVM", "2");
  AddThread(4244, "CPU 1/KVM", "3");
  ExpectVerdict(Look(host_, "vcpu_threads"), Verdict::kWarning);
  EXPECT_THAT(Look(host_, "vcpu_threads").seen, HasSubstr("pinned one to one"));
  EXPECT_THAT(Look(host_, "vcpu_threads").fix,
              HasSubstr("sudo plectl params set --persist ple_gap=0"));
  host_.Write("/sys/module/kvm_intel/parameters/ple_gap", "0\n");
  ExpectVerdict(Look(host_, "vcpu_threads"), Verdict::kOk);
  EXPECT_THAT(Look(host_, "vcpu_threads").seen, HasSubstr("pinned one to one; PLE is off"));
  AddThread(4245, "CPU 2/KVM", "3");  // shares its CPU
  ExpectVerdict(Look(host_, "vcpu_threads"), Verdict::kOk);
}

TEST_F(DoctorVcpus, InARealTimeClassAreNamed) {
  AddThread(4243, "vcpu 0) 1", "0-7", 1);  // SCHED_FIFO, and a name that looks like the end of one
  AddThread(4244, "vcpu1", "0-7");
  const CheckResult threads = Look(host_, "vcpu_threads");
  ExpectVerdict(threads, Verdict::kWarning);
  EXPECT_THAT(threads.seen, HasSubstr("2 vCPU threads of 1 VMs, 1 of them in a real-time class"));
}

TEST_F(DoctorVcpus, AreThrottledByALimitOfAnyParent) {
  AddThread(4243, "CPU 0/KVM", "0-7", 0, "/machine.slice/vm/vcpu0");
  host_.Write("/sys/fs/cgroup/machine.slice/vm/vcpu0/cpu.max", "max 100000\n");
  ExpectVerdict(Look(host_, "vcpu_cgroups"), Verdict::kOk);
  host_.Write("/sys/fs/cgroup/machine.slice/cpu.max", "50000 100000\n");
  ExpectVerdict(Look(host_, "vcpu_cgroups"), Verdict::kWarning);
  EXPECT_THAT(Look(host_, "vcpu_cgroups").seen, HasSubstr("/machine.slice cpu.max 50000 100000"));
}

// A hybrid host has the CPU controller in version 1.
TEST_F(DoctorVcpus, AreThrottledByAQuotaOfVersion1) {
  AddThread(4243, "CPU 0/KVM", "0-7");
  host_.Write("/proc/4242/task/4243/cgroup",
              "4:cpu,cpuacct:/machine/vm/vcpu0\n0::/machine.slice/vm\n");
  host_.Write("/sys/fs/cgroup/cpu/release_agent", "");
  host_.Write("/sys/fs/cgroup/cpu/machine/cpu.cfs_quota_us", "-1\n");
  ExpectVerdict(Look(host_, "vcpu_cgroups"), Verdict::kOk);
  host_.Write("/sys/fs/cgroup/cpu/machine/cpu.cfs_quota_us", "25000\n");
  host_.Write("/sys/fs/cgroup/cpu/machine/cpu.cfs_period_us", "100000\n");
  ExpectVerdict(Look(host_, "vcpu_cgroups"), Verdict::kWarning);
  EXPECT_THAT(Look(host_, "vcpu_cgroups").seen,
              HasSubstr("/machine cpu.cfs_quota_us 25000 of 100000"));
}

TEST_F(DoctorVcpus, HaveAnUnknownLimitWhereCgroupsAreHidden) {
  AddThread(4243, "CPU 0/KVM", "0-7", 0, "/../other");
  host_.Write("/proc/4242/task/4243/cgroup", "0::/../other\n");
  ExpectVerdict(Look(host_, "vcpu_cgroups"), Verdict::kUnknown);
}

TEST_F(DoctorVcpus, OfPlectlItselfMayBeThrottled) {
  ExpectVerdict(Look(host_, "own_cpu_limit"), Verdict::kOk);
  host_.Write("/sys/fs/cgroup/user.slice/cpu.max", "50000 100000\n");
  ExpectVerdict(Look(host_, "own_cpu_limit"), Verdict::kWarning);
  EXPECT_THAT(Look(host_, "own_cpu_limit").seen, HasSubstr("/user.slice cpu.max 50000 100000"));
}

// QEMU without debug-threads=on: all of its threads have the program's name.
TEST_F(DoctorVcpus, WithoutNamesOfTheirOwnMakeNoAdvice) {
  AddThread(4243, "qemu-system-x86", "2");
  CheckResult threads = Look(host_, "vcpu_threads");
  ExpectVerdict(threads, Verdict::kUnknown);
  EXPECT_THAT(threads.seen, HasSubstr("4242 (qemu-system-x86"));
  EXPECT_THAT(threads.fix, HasSubstr("debug-threads=on"));
  // Beside a VM that is pinned one to one.
  std::filesystem::create_directories(host_.root().Path("/proc/77/fd"));
  std::filesystem::create_symlink("anon_inode:kvm-vm", host_.root().Path("/proc/77/fd/9"));
  host_.Write("/proc/77/comm", "firecracker\n");
  host_.Write("/proc/77/task/78/comm", "fc_vcpu 0\n");
  host_.Write("/proc/77/task/78/status", "Cpus_allowed_list:\t3\n");
  ExpectVerdict(Look(host_, "vcpu_threads"), Verdict::kUnknown);
  host_.Remove("/proc/4242");
  ExpectVerdict(Look(host_, "vcpu_threads"), Verdict::kWarning);
}

TEST_F(DoctorVcpus, AreKnownToTheKernelWhateverTheirNames) {
  AddThread(4243, "qemu-system-x86", "2");
  AddThread(4244, "qemu-system-x86", "0-7");
  host_.Write("/sys/kernel/debug/kvm/4242-11/vcpu0/pid", "4243\n");
  ExpectVerdict(Look(host_, "vcpu_threads"), Verdict::kWarning);
  EXPECT_THAT(Look(host_, "vcpu_threads").seen,
              HasSubstr("1 vCPU threads of 1 VMs, pinned one to one"));
}

TEST_F(DoctorVcpus, OfOtherContainersMakeNoAdvice) {
  AddThread(4243, "CPU 0/KVM", "2");
  std::filesystem::create_directories(host_.root().Path("/proc/self/ns"));
  std::filesystem::create_symlink("pid:[4026532001]", host_.root().Path("/proc/self/ns/pid"));
  ExpectVerdict(Look(host_, "vcpu_threads"), Verdict::kUnknown);
  EXPECT_THAT(Look(host_, "vcpu_threads").seen, HasSubstr("only processes of this PID namespace"));
}

TEST_F(DoctorVcpus, ThatCannotBeSeenAreUnknown) {
  ExpectVerdict(Look(host_, "vcpu_threads"), Verdict::kUnknown);
  ExpectVerdict(Look(host_, "vcpu_cgroups"), Verdict::kUnknown);
  EXPECT_EQ(Look(RecordedHost("intel_ple"), "vcpu_threads").seen, "no VM that can be seen");
}

TEST(VmOfSeveralCookies, IsOneWhoseThreadsMayNotShareACore) {
  const auto thread = [](const char* vm, uint64_t cookie) {
    VcpuThread made;
    made.vm = vm;
    made.core_cookie = cookie;
    return made;
  };
  EXPECT_EQ(VmOfSeveralCookies({}), "");
  EXPECT_EQ(VmOfSeveralCookies({thread("1", 0), thread("1", 0), thread("2", 7)}), "");
  EXPECT_EQ(VmOfSeveralCookies({thread("1", 5), thread("2", 7), thread("1", 5)}), "");
  EXPECT_EQ(VmOfSeveralCookies({thread("1", 5), thread("2", 7), thread("2", 8)}), "2");
  EXPECT_EQ(VmOfSeveralCookies({thread("2", 0), thread("2", 8)}), "2");
}

}  // namespace
}  // namespace plectl::host
