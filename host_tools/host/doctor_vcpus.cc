// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of the VMs that run: what their vCPU threads are to the scheduler, which
// decides what a directed yield can do for them.
#include <fmt/format.h>
#include <sched.h>

#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host_tools/base/proc_stat.h"
#include "host_tools/base/text.h"
#include "host_tools/host/doctor_checks.h"

namespace plectl::host {
namespace {

// "CPU 0/KVM" of QEMU, "vcpu0" or "fc_vcpu 0" of others.
bool IsVcpuName(std::string_view comm) {
  return comm.ends_with("/KVM") || comm.find("vcpu") != std::string_view::npos;
}

VcpuThread ReadThread(const HostRoot& root, const std::string& vm, const std::string& folder) {
  constexpr size_t kPolicyField = 41;
  const std::string status = root.Read(folder + "/status").value_or("");
  const std::string cgroups = root.Read(folder + "/cgroup").value_or("");
  VcpuThread thread;
  thread.vm = vm;
  thread.cpus = LineAfter(status, "Cpus_allowed_list:").value_or("");
  thread.cgroup = LineAfter(cgroups, "0::").value_or("");
  thread.policy = ProcStatField(root.Read(folder + "/stat").value_or(""), kPolicyField).value_or(0);
  return thread;
}

// Who sees no vCPU thread sees either no VM, or not enough.
Finding NoThreads(const DoctorFacts& facts) {
  if (!facts.kvm_holders) return Unknown(facts.kvm_holders.error().message);
  if (facts.kvm_holders->empty()) return Ok("no VM that can be seen");
  return Unknown("no thread of the processes with KVM files has a vCPU's name",
                 std::string(kAskRoot));
}

bool IsOneCpu(const std::string& list) {
  return list.find_first_not_of("0123456789") == std::string::npos && !list.empty();
}

// Each vCPU has a CPU that no other vCPU has.
bool ArePinnedOneToOne(const std::vector<VcpuThread>& threads) {
  std::set<std::string> taken;
  for (const VcpuThread& thread : threads) {
    if (!IsOneCpu(thread.cpus) || !taken.insert(thread.cpus).second) return false;
  }
  return true;
}

std::string CountText(const std::vector<VcpuThread>& threads) {
  std::set<std::string> vms;
  for (const VcpuThread& thread : threads) vms.insert(thread.vm);
  return fmt::format("{} vCPU threads of {} VMs", threads.size(), vms.size());
}

Finding LookAtThreads(const DoctorFacts& facts) {
  const std::vector<VcpuThread>& threads = facts.vcpu_threads;
  if (threads.empty()) return NoThreads(facts);
  size_t real_time = 0;
  for (const VcpuThread& thread : threads) {
    real_time += thread.policy == SCHED_FIFO || thread.policy == SCHED_RR ? 1 : 0;
  }
  if (real_time != 0) {
    return Warning(
        fmt::format("{}, {} of them in a real-time class", CountText(threads), real_time),
        "for these VMs turn PLE off (modprobe/intel-ple-off.conf); a directed yield does "
        "nothing across scheduling classes");
  }
  if (ArePinnedOneToOne(threads)) {
    return Warning(fmt::format("{}, pinned one to one", CountText(threads)),
                   "for these VMs turn PLE off (modprobe/intel-ple-off.conf): nobody waits for the "
                   "CPU that an exit gives away");
  }
  return Ok(fmt::format("{}, which may share CPUs", CountText(threads)));
}

// Limits anywhere on the way to the root throttle all below: "max 100000" is none (cgroup-v2.rst).
std::optional<std::string> CpuLimit(const HostRoot& root, std::string cgroup) {
  for (; cgroup.size() > 1; cgroup.resize(cgroup.rfind('/'))) {
    const auto limit = root.ReadTrimmed(fmt::format("/sys/fs/cgroup{}/cpu.max", cgroup));
    if (limit && !limit->starts_with("max")) return fmt::format("{} cpu.max {}", cgroup, *limit);
  }
  return std::nullopt;
}

Finding LookAtCgroups(const DoctorFacts& facts) {
  const std::vector<VcpuThread>& threads = facts.vcpu_threads;
  if (threads.empty()) return NoThreads(facts);
  std::set<std::string> cgroups;
  for (const VcpuThread& thread : threads) cgroups.insert(thread.cgroup);
  if (cgroups.contains("")) return Unknown("a vCPU thread is in no cgroup of version 2");
  for (const std::string& cgroup : cgroups) {
    if (!cgroup.starts_with('/')) return Unknown(fmt::format("cgroup \"{}\"", cgroup));
    if (const auto limit = CpuLimit(facts.root, cgroup)) {
      return Warning(fmt::format("{}: the kernel stops these vCPUs", *limit),
                     "take the limit off while measuring: no yield helps a lock holder that is "
                     "throttled");
    }
  }
  return Ok(fmt::format("{} in {} cgroups, e.g. {}", CountText(threads), cgroups.size(),
                        *cgroups.begin()));
}

constexpr std::array kChecks = {
    Check{"vcpu_threads",
          "PLE's yield only helps vCPUs that share CPUs, under the fair scheduler "
          "(yield_to() in kernel/sched)",
          LookAtThreads},
    Check{"vcpu_cgroups",
          "a directed yield passes on the CPU inside the scheduler's groups: where vCPUs are in "
          "different ones, it may be lost",
          LookAtCgroups},
};

}  // namespace

std::vector<VcpuThread> VcpuThreadsOf(const HostRoot& root, const std::vector<Holder>& holders) {
  std::vector<VcpuThread> threads;
  for (const Holder& holder : holders) {
    const std::string vm = std::to_string(holder.pid);
    const std::string tasks = fmt::format("/proc/{}/task", vm);
    for (const std::string& tid : root.List(tasks).value_or(std::vector<std::string>{})) {
      const std::string folder = fmt::format("{}/{}", tasks, tid);
      const auto comm = root.ReadTrimmed(folder + "/comm");
      if (comm && IsVcpuName(*comm)) threads.push_back(ReadThread(root, vm, folder));
    }
  }
  return threads;
}

std::span<const Check> VcpuChecks() { return kChecks; }

}  // namespace plectl::host
