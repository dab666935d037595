// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/perf_event.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "host_tools/base/text.h"
#include "host_tools/host/bpf_support.h"

namespace plectl::host {
namespace {

perf_event_attr MakeAttributes(uint32_t type) {
  perf_event_attr attributes = {};
  attributes.size = sizeof(attributes);
  attributes.type = type;
  attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  attributes.disabled = 1;
  return attributes;
}

std::string HintFor(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
      if (!LockedDownBecause(HostRoot()).empty()) return std::string(kLockedDownHint);
      if (::geteuid() == 0) {
        return "this root has no CAP_PERFMON, as in a container: run plectl on the host itself";
      }
      return "run plectl as root (CAP_PERFMON)";
    case EMFILE:
      return "raise the limit of open files (ulimit -n)";
    case ENOENT:
      return "load the kvm module first";
    default:
      return "the kernel needs CONFIG_PERF_EVENTS and CONFIG_KPROBE_EVENTS";
  }
}

constexpr int kAnyCpu = -1;
constexpr pid_t kAnyThread = -1;

Result<Fd> Open(perf_event_attr attributes, const std::string& what, pid_t tid, int cpu) {
  constexpr int kNoGroup = -1;
  const long fd =
      ::syscall(SYS_perf_event_open, &attributes, tid, cpu, kNoGroup, PERF_FLAG_FD_CLOEXEC);
  if (fd >= 0) return Fd(static_cast<int>(fd));
  const int error = errno;
  return SystemFailure(fmt::format("perf_event_open of {} for {} {}", what,
                                   cpu == kAnyCpu ? "thread" : "CPU", cpu == kAnyCpu ? tid : cpu),
                       error, HintFor(error));
}

Result<uint32_t> KprobePmuType(const HostRoot& root) {
  constexpr std::string_view kPath = "/sys/bus/event_source/devices/kprobe/type";
  PLECTL_ASSIGN_OR_RETURN(const std::string text, root.ReadTrimmed(kPath));
  const auto type = ParseUint(text);
  if (type && *type <= UINT32_MAX) return static_cast<uint32_t>(*type);
  return Environment(fmt::format("read {}: \"{}\" is not a PMU type", kPath, text));
}

}  // namespace

std::string LostBecause(const PerfReading& reading) {
  if (reading.enabled_ns == reading.running_ns) return {};
  return fmt::format("a perf counter counted {} ns of the {} ns that its thread ran",
                     reading.running_ns, reading.enabled_ns);
}

Result<PerfEvent> PerfEvent::OfTracepoint(uint64_t id, pid_t tid) {
  perf_event_attr attributes = MakeAttributes(PERF_TYPE_TRACEPOINT);
  attributes.config = id;
  PLECTL_ASSIGN_OR_RETURN(Fd fd, Open(attributes, fmt::format("tracepoint {}", id), tid, kAnyCpu));
  return PerfEvent(std::move(fd));
}

Result<PerfEvent> PerfEvent::OfKprobe(const HostRoot& root, const std::string& function,
                                      pid_t tid) {
  PLECTL_ASSIGN_OR_RETURN(const uint32_t type, KprobePmuType(root));
  perf_event_attr attributes = MakeAttributes(type);
  attributes.kprobe_func = reinterpret_cast<uintptr_t>(function.c_str());
  PLECTL_ASSIGN_OR_RETURN(Fd fd, Open(attributes, "kprobe " + function, tid, kAnyCpu));
  return PerfEvent(std::move(fd));
}

Result<PerfEvent> PerfEvent::OfThread(uint32_t pmu_type, uint64_t config, ExecutedIn mode,
                                      pid_t tid) {
  perf_event_attr attributes = MakeAttributes(pmu_type);
  attributes.config = config;
  attributes.exclude_host = mode == ExecutedIn::kGuest ? 1 : 0;
  attributes.exclude_guest = mode == ExecutedIn::kHost ? 1 : 0;
  PLECTL_ASSIGN_OR_RETURN(
      Fd fd,
      Open(attributes, fmt::format("event {:#x} of PMU {}", config, pmu_type), tid, kAnyCpu));
  return PerfEvent(std::move(fd));
}

Result<PerfEvent> PerfEvent::OfCpu(uint32_t pmu_type, uint64_t config, int cpu) {
  perf_event_attr attributes = MakeAttributes(pmu_type);
  attributes.config = config;
  PLECTL_ASSIGN_OR_RETURN(
      Fd fd,
      Open(attributes, fmt::format("event {} of PMU {}", config, pmu_type), kAnyThread, cpu));
  return PerfEvent(std::move(fd));
}

Status PerfEvent::SetFilter(const std::string& expression) {
  if (::ioctl(fd_.get(), PERF_EVENT_IOC_SET_FILTER, expression.c_str()) == 0) return OkStatus();
  return SystemFailure(fmt::format("set perf filter \"{}\"", expression), errno,
                       "this kernel's tracepoint has other fields: use the BPF observers");
}

Status PerfEvent::Enable() {
  if (::ioctl(fd_.get(), PERF_EVENT_IOC_ENABLE, 0) == 0) return OkStatus();
  return SystemFailure("enable a perf counter", errno);
}

Result<PerfReading> PerfEvent::Read() const {
  PerfReading reading;
  const ssize_t size = ::read(fd_.get(), &reading, sizeof(reading));
  if (size == sizeof(reading)) return reading;
  // 0 bytes: the counter is in error state and has stopped for good.
  return SystemFailure("read a perf counter", size < 0 ? errno : EIO);
}

}  // namespace plectl::host
