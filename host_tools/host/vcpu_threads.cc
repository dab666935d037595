// SPDX-License-Identifier: Apache-2.0
// Finds the threads that run vCPUs, for the doctor.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "host_tools/base/proc_stat.h"
#include "host_tools/base/text.h"
#include "host_tools/host/cgroup_limits.h"
#include "host_tools/host/core_scheduling.h"
#include "host_tools/host/doctor_checks.h"

namespace plectl::host {
namespace {

// "CPU 0/KVM" of QEMU, "vcpu0" or "fc_vcpu 0" of others.
bool IsVcpuName(std::string_view comm) {
  return comm.ends_with("/KVM") || comm.find("vcpu") != std::string_view::npos;
}

std::string CgroupOf(const HostRoot& root, const std::string& task) {
  for (const auto& chain : {CgroupChainV1(root, task, "cpu"), CgroupChainV2(root, task)}) {
    if (chain && *chain && !(*chain)->folders.empty()) return (*chain)->folders.front().name;
  }
  const std::string text = root.Read(fmt::format("/proc/{}/cgroup", task)).value_or("");
  return std::string(LineAfter(text, "0::").value_or(""));
}

VcpuThread ReadThread(const HostRoot& root, const std::string& vm, const std::string& tid) {
  constexpr size_t kPolicyField = 41;
  VcpuThread thread;
  thread.vm = vm;
  thread.task = fmt::format("{}/task/{}", vm, tid);
  const std::string folder = "/proc/" + thread.task;
  const std::string status = root.Read(folder + "/status").value_or("");
  thread.cpus = LineAfter(status, "Cpus_allowed_list:").value_or("");
  thread.cgroup = CgroupOf(root, thread.task);
  thread.policy = ProcStatField(root.Read(folder + "/stat").value_or(""), kPolicyField).value_or(0);
  if (root.is_real()) {
    const auto number = static_cast<pid_t>(ParseUint(tid).value_or(0));
    thread.core_cookie = CoreCookieOf(number).value_or(0);
  }
  return thread;
}

// The threads that last ran the vCPUs of a process: kvm/PID-FD/vcpuN/pid of debugfs (Linux 6.0).
std::vector<std::string> ThreadsInDebugfs(const HostRoot& root, const std::string& vm) {
  const std::string top = "/sys/kernel/debug/kvm";
  std::vector<std::string> tids;
  for (const std::string& name : root.List(top).value_or(std::vector<std::string>{})) {
    if (!name.starts_with(vm + "-")) continue;
    const std::string folder = fmt::format("{}/{}", top, name);
    for (const std::string& vcpu : root.List(folder).value_or(std::vector<std::string>{})) {
      if (!vcpu.starts_with("vcpu")) continue;
      const auto tid = root.ReadTrimmed(fmt::format("{}/{}/pid", folder, vcpu));
      if (tid && ParseUint(*tid).value_or(0) != 0) tids.push_back(*tid);
    }
  }
  std::ranges::sort(tids);
  tids.erase(std::unique(tids.begin(), tids.end()), tids.end());
  return tids;
}

std::vector<std::string> ThreadsByName(const HostRoot& root, const std::string& vm) {
  const std::string tasks = fmt::format("/proc/{}/task", vm);
  std::vector<std::string> tids;
  for (const std::string& tid : root.List(tasks).value_or(std::vector<std::string>{})) {
    const auto comm = root.ReadTrimmed(fmt::format("{}/{}/comm", tasks, tid));
    if (comm && IsVcpuName(*comm)) tids.push_back(tid);
  }
  return tids;
}

bool HasVm(const HostRoot& root, const std::string& vm) {
  const std::string folder = fmt::format("/proc/{}/fd", vm);
  for (const std::string& fd : root.List(folder).value_or(std::vector<std::string>{})) {
    std::error_code error;
    const std::string target =
        std::filesystem::read_symlink(root.Path(fmt::format("{}/{}", folder, fd)), error).string();
    if (target.starts_with("anon_inode:kvm-v")) return true;
  }
  return false;
}

}  // namespace

std::string VmOfSeveralCookies(const std::vector<VcpuThread>& threads) {
  std::map<std::string, uint64_t> cookies;
  for (const VcpuThread& thread : threads) {
    const auto [first, is_new] = cookies.emplace(thread.vm, thread.core_cookie);
    if (!is_new && first->second != thread.core_cookie) return thread.vm;
  }
  return {};
}

VcpuThreads VcpuThreadsOf(const HostRoot& root, const std::vector<Holder>& holders) {
  VcpuThreads found;
  for (const Holder& holder : holders) {
    const std::string vm = std::to_string(holder.pid);
    std::vector<std::string> tids = ThreadsInDebugfs(root, vm);
    if (tids.empty()) tids = ThreadsByName(root, vm);
    for (const std::string& tid : tids) found.threads.push_back(ReadThread(root, vm, tid));
    if (tids.empty() && HasVm(root, vm)) found.opaque_vms.push_back(HolderText(holder));
  }
  return found;
}

}  // namespace plectl::host
