// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/module_holders.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <system_error>
#include <thread>

#include "host_tools/base/clock.h"
#include "host_tools/base/text.h"
#include "host_tools/base/utf8.h"

namespace plectl::host {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(5);
constexpr size_t kStepsShown = 5;
constexpr std::string_view kAnonymous = "anon_inode:";

// What an fd's link target is to us, or nothing.
using Classifier = std::function<std::optional<std::string>(std::string_view target)>;

std::optional<std::string> KvmFile(std::string_view target) {
  if (target == "/dev/kvm") return std::string(target);
  if (!target.starts_with("anon_inode:kvm-")) return std::nullopt;
  return std::string(target.substr(kAnonymous.size()));
}

std::optional<std::string> TracingFile(std::string_view target) {
  for (const std::string_view name : {"perf_event", "bpf-link", "bpf_link", "bpf-prog"}) {
    if (target == fmt::format("anon_inode:{}", name) ||
        target == fmt::format("anon_inode:[{}]", name)) {
      return std::string(name);
    }
  }
  return std::nullopt;
}

// What a BPF link is attached to, when it is a raw tracepoint.
std::optional<std::string> TracepointOf(const HostRoot& root, std::string_view pid,
                                        std::string_view fd) {
  const std::string info = root.Read(fmt::format("/proc/{}/fdinfo/{}", pid, fd)).value_or("");
  const auto name = LineAfter(info, "tp_name:");
  return name ? std::optional(std::string(*name)) : std::nullopt;
}

// Nothing for a link to a tracepoint of others.
std::optional<std::string> WithTracepoint(const HostRoot& root, std::string_view pid,
                                          std::string_view fd, std::string what) {
  if (!what.starts_with("bpf")) return what;
  const std::optional<std::string> tracepoint = TracepointOf(root, pid, fd);
  if (!tracepoint) return what;
  if (!tracepoint->starts_with("kvm")) return std::nullopt;
  return fmt::format("{} on {}", what, *tracepoint);
}

// Processes come and go and may be unreadable: what cannot be read is not a holder that we know.
// The first file that fits, or the first that is known to be KVM's.
std::optional<std::string> FindFile(const HostRoot& root, std::string_view pid,
                                    const Classifier& classify) {
  const std::string folder = fmt::format("/proc/{}/fd", pid);
  std::optional<std::string> first;
  for (const std::string& fd : root.List(folder).value_or(std::vector<std::string>{})) {
    std::error_code error;
    const auto target =
        std::filesystem::read_symlink(root.Path(fmt::format("{}/{}", folder, fd)), error);
    if (error) continue;
    std::optional<std::string> what = classify(target.string());
    if (what) what = WithTracepoint(root, pid, fd, *std::move(what));
    if (what && what->find(" on ") != std::string::npos) return what;
    if (!first) first = std::move(what);
  }
  return first;
}

std::optional<std::string> VmFile(std::string_view target) {
  std::optional<std::string> file = KvmFile(target);
  if (file && !file->starts_with("kvm-vm") && !file->starts_with("kvm-vcpu")) file.reset();
  return file;
}

Result<std::vector<Holder>> FindHolders(const HostRoot& root, const Classifier& classify) {
  PLECTL_ASSIGN_OR_RETURN(const std::vector<std::string> entries, root.List("/proc"));
  std::vector<Holder> holders;
  for (const std::string& entry : entries) {
    const std::optional<uint64_t> pid = ParseUint(entry);
    if (!pid) continue;
    std::optional<std::string> what = FindFile(root, entry, classify);
    if (!what) continue;
    holders.push_back({static_cast<pid_t>(*pid), IdentityOf(root, entry), *std::move(what)});
  }
  return holders;
}

std::string HolderTexts(const std::vector<Holder>& holders) {
  std::vector<std::string> texts;
  texts.reserve(holders.size());
  for (const Holder& holder : holders) texts.push_back(HolderText(holder));
  return fmt::format("{}", fmt::join(texts, ", "));
}

Failure Busy(const HostRoot& root, KvmModule module, uint64_t references,
             const std::vector<Holder>& kvm, const std::vector<Holder>& tracing) {
  const std::string_view name = ModuleName(module);
  if (!kvm.empty()) {
    return Environment(fmt::format("{} is in use by {}", name, HolderTexts(kvm)),
                       fmt::format("{}, then try again", HowToEnd(kvm)));
  }
  const std::string suspects = tracing.empty()
                                   ? "no process with a KVM, perf or BPF file is visible"
                                   : fmt::format("they may belong to {}", HolderTexts(tracing));
  const std::string unseen = WhyHoldersUnseen(root);
  return Environment(fmt::format("{} is in use: {} references, but no open KVM file; {}{}{}", name,
                                 references, suspects, unseen.empty() ? "" : "; ", unseen),
                     StepForUnknownHolder(unseen));
}

}  // namespace

std::string HolderText(const Holder& holder) {
  const ProgramIdentity& identity = holder.identity;
  const std::string vm =
      identity.vm_name.empty()
          ? ""
          : fmt::format(", {} {}", identity.is_libvirt_domain ? "libvirt domain" : "VM",
                        Printable(identity.vm_name));
  return fmt::format("{} ({}, {}{})", holder.pid,
                     holder.pid == ::getpid() ? "plectl itself" : identity.program, holder.what,
                     vm);
}

std::string HowToEnd(const std::vector<Holder>& holders) {
  std::vector<std::string> steps;
  std::vector<pid_t> others;
  for (const Holder& holder : holders) {
    const std::string& virsh = holder.identity.virsh;
    if (virsh.empty()) others.push_back(holder.pid);
    if (virsh.empty() || steps.size() >= kStepsShown) continue;
    steps.push_back(
        fmt::format("virsh shutdown {}{}", virsh.starts_with('-') ? "-- " : "", ShellWord(virsh)));
  }
  if (others.size() > kStepsShown) others.resize(kStepsShown);
  if (!others.empty()) {
    steps.push_back(
        fmt::format("shut down what runs as PID {} where it was started, or: sudo kill {}",
                    fmt::join(others, ", "), fmt::join(others, " ")));
  }
  return fmt::format("{}", fmt::join(steps, "; "));
}

std::string WhyHoldersUnseen(const HostRoot& root) {
  constexpr std::string_view kInitialNamespace = "pid:[4026531836]";  // PROC_PID_INIT_INO
  std::error_code error;
  const auto link = std::filesystem::read_symlink(root.Path("/proc/self/ns/pid"), error);
  if (!error && link.string() != kInitialNamespace) {
    return "only processes of this PID namespace (a container's) are seen";
  }
  return root.is_real() && ::geteuid() != 0 ? "processes of other users are seen by root only" : "";
}

std::string StepForUnknownHolder(const std::string& unseen) {
  if (unseen.find("namespace") != std::string::npos) {
    return "look on the host itself, outside of this container: sudo plectl doctor";
  }
  if (!unseen.empty()) return "sudo plectl doctor shows more";
  return "stop what traces KVM (pmdakvm, kvm_stat, perf, trace-cmd, BPF programs), then try again";
}

Result<std::vector<Holder>> KvmFileHolders(const HostRoot& root) {
  return FindHolders(root, KvmFile);
}

Result<std::vector<pid_t>> VmProcesses(const HostRoot& root) {
  PLECTL_ASSIGN_OR_RETURN(const std::vector<std::string> entries, root.List("/proc"));
  std::vector<pid_t> processes;
  for (const std::string& entry : entries) {
    const std::optional<uint64_t> pid = ParseUint(entry);
    if (pid && FindFile(root, entry, VmFile)) processes.push_back(static_cast<pid_t>(*pid));
  }
  return processes;
}

Result<std::vector<Holder>> TracingHolders(const HostRoot& root) {
  return FindHolders(root, TracingFile);
}

Result<std::optional<uint64_t>> ModuleReferences(const HostRoot& root, KvmModule module) {
  const std::string path = fmt::format("/sys/module/{}/refcnt", ModuleName(module));
  if (!root.Exists(path)) return std::optional<uint64_t>();
  PLECTL_ASSIGN_OR_RETURN(const std::string text, root.ReadTrimmed(path));
  const std::optional<uint64_t> references = ParseUint(text);
  if (!references) return Environment(fmt::format("{} holds \"{}\", not a number", path, text));
  return references;
}

Status WaitUntilUnused(const HostRoot& root, KvmModule module, std::chrono::milliseconds timeout) {
  const Stopwatch waited;
  while (true) {
    PLECTL_ASSIGN_OR_RETURN(const auto references, ModuleReferences(root, module));
    if (references.value_or(0) == 0) return OkStatus();
    if (waited.ElapsedNs() > std::chrono::nanoseconds(timeout).count()) {
      PLECTL_ASSIGN_OR_RETURN(const std::vector<Holder> kvm, KvmFileHolders(root));
      PLECTL_ASSIGN_OR_RETURN(const std::vector<Holder> tracing, TracingHolders(root));
      return Busy(root, module, *references, kvm, tracing);
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace plectl::host
