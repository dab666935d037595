// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of the VMs that run: what their vCPU threads are to the scheduler, which
// decides what a directed yield can do for them.
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host_tools/host/cgroup_limits.h"
#include "host_tools/host/doctor_checks.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

// Who sees no vCPU thread sees either no VM, or not enough.
Finding NoThreads(const DoctorFacts& facts) {
  if (!facts.kvm_holders) return Unknown(facts.kvm_holders.error().message);
  if (facts.kvm_holders->empty()) {
    const std::string unseen = WhyHoldersUnseen(facts.root);
    return Ok(fmt::format("no VM that can be seen{}{}", unseen.empty() ? "" : "; ", unseen));
  }
  return Unknown("no process with a KVM file has a VM with vCPUs", std::string(kAskRoot));
}

// Advice for a host needs all of its VMs.
std::optional<Finding> SomeVmIsUnknown(const DoctorFacts& facts) {
  const std::vector<std::string>& opaque = facts.vcpus.opaque_vms;
  if (opaque.empty()) return std::nullopt;
  constexpr size_t kVmsShown = 3;
  const auto end = opaque.begin() + static_cast<ptrdiff_t>(std::min(opaque.size(), kVmsShown));
  return Unknown(
      fmt::format("{} of the VMs {} vCPU threads that do not say so by their names: {}{}",
                  opaque.size(), opaque.size() == 1 ? "has" : "have",
                  fmt::join(opaque.begin(), end, ", "), opaque.size() > kVmsShown ? ", ..." : ""),
      "start QEMU with debug-threads=on (-name NAME,debug-threads=on; libvirt does), or mount "
      "debugfs and look as root, on Linux 6.0 or later: sudo mount -t debugfs debugfs "
      "/sys/kernel/debug");
}

std::string HowToTurnOff(const DoctorFacts& facts) {
  const std::string_view name =
      *facts.module == KvmModule::kIntel ? "ple_gap" : "pause_filter_count";
  if (facts.built_in) {
    return fmt::format("{}.{}=0 on the kernel command line", ModuleName(*facts.module), name);
  }
  return fmt::format("once they have ended, sudo plectl params set --persist {}=0", name);
}

// "PLE off" is for the whole host: others' VMs may need it.
Finding AdviseOff(const DoctorFacts& facts, std::string seen, std::string_view why) {
  if (!facts.module || !facts.params) return Ok(std::move(seen));
  const auto off = WhyPleIsOff(facts.root, *facts.module, *facts.params);
  if (off && *off) return Ok(fmt::format("{}; PLE is off, as it is best for them", seen));
  const std::string unseen = WhyHoldersUnseen(facts.root);
  if (unseen.empty()) {
    return Warning(std::move(seen),
                   fmt::format("for these VMs turn PLE off: {} ({})", HowToTurnOff(facts), why));
  }
  return Unknown(fmt::format("{}; {}", seen, unseen), StepForUnknownHolder(unseen));
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
  const std::vector<VcpuThread>& threads = facts.vcpus.threads;
  if (auto unknown = SomeVmIsUnknown(facts)) return *std::move(unknown);
  if (threads.empty()) return NoThreads(facts);
  const auto real_time = std::ranges::count_if(threads, [](const VcpuThread& thread) {
    return thread.policy == SCHED_FIFO || thread.policy == SCHED_RR;
  });
  if (real_time != 0) {
    return AdviseOff(
        facts, fmt::format("{}, {} of them in a real-time class", CountText(threads), real_time),
        "a directed yield does nothing across scheduling classes");
  }
  if (const std::string vm = VmOfSeveralCookies(threads); !vm.empty()) {
    return Warning(fmt::format("{}; those of process {} have different cookies of core scheduling",
                               CountText(threads), vm),
                   "give all vCPU threads of a VM one cookie (prctl PR_SCHED_CORE): a core runs "
                   "threads of one cookie only, whomever KVM boosts");
  }
  if (ArePinnedOneToOne(threads)) {
    return AdviseOff(facts, fmt::format("{}, pinned one to one", CountText(threads)),
                     "nobody waits for the CPU that an exit gives away");
  }
  return Ok(fmt::format("{}, which may share CPUs", CountText(threads)));
}

std::string QuotaText(const CpuQuota& quota) {
  return fmt::format("{} {}", quota.cgroup.name, quota.setting);
}

Finding LookAtCgroups(const DoctorFacts& facts) {
  const std::vector<VcpuThread>& threads = facts.vcpus.threads;
  if (threads.empty()) {
    auto unknown = SomeVmIsUnknown(facts);
    return unknown ? *std::move(unknown) : NoThreads(facts);
  }
  std::set<std::string> cgroups;
  std::string unseen;
  for (const VcpuThread& thread : threads) {
    const Result<CpuLimits> limits = CpuLimitsOf(facts.root, thread.task);
    if (limits && !limits->quotas.empty()) {
      return Warning(
          fmt::format("{}: the kernel stops these vCPUs", QuotaText(limits->quotas.front())),
          "take the limit off while measuring: no yield helps a lock holder that is throttled");
    }
    cgroups.insert(thread.cgroup);
    if (!limits || !limits->unseen_because.empty()) {
      unseen = limits ? limits->unseen_because : limits.error().message;
    }
  }
  if (!unseen.empty()) return Unknown("CPU limits of the vCPU threads: " + unseen);
  if (cgroups.contains("")) return Unknown("it cannot be told in which cgroup a vCPU thread is");
  return Ok(fmt::format("{} in {} cgroups, e.g. {}", CountText(threads), cgroups.size(),
                        *cgroups.begin()));
}

Finding LookAtOwnLimit(const DoctorFacts& facts) {
  const Result<CpuLimits> limits = CpuLimitsOf(facts.root, "self");
  if (!limits) return Unknown(limits.error().message);
  if (!limits->quotas.empty()) {
    return Warning(
        fmt::format("{} binds plectl and its guests", QuotaText(limits->quotas.front())),
        "run plectl outside of it (sudo systemd-run --scope plectl ...), or take the limit off");
  }
  if (!limits->unseen_because.empty()) return Unknown(limits->unseen_because);
  return Ok("no CPU limit in plectl's own cgroup and those above");
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
    Check{"own_cpu_limit",
          "a quota stops vCPUs of a sweep amid a trial, as if somebody had taken the CPU",
          LookAtOwnLimit},
};

}  // namespace

std::span<const Check> VcpuChecks() { return kChecks; }

}  // namespace plectl::host
