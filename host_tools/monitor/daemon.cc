// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/daemon.h"

#include <fmt/core.h>
#include <linux/capability.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string_view>
#include <utility>

#include "host_tools/host/kernel_fixes.h"
#include "host_tools/monitor/privileges.h"
#include "host_tools/monitor/service_notify.h"

namespace plectl::monitor {
namespace {

// Two loads of a module within one are seen as one.
constexpr auto kTick = std::chrono::milliseconds(250);
constexpr int kTicksPerWatchdog = 4;

void Log(std::string_view text) {
  fmt::print(stderr, "plectl monitor: {}\n", text);
  std::fflush(stderr);
}

void LogProblem(const Status& status) {
  if (!status) Log(status.error().Text());
}

void LogMissing(Monitor& monitor) {
  const std::string because = monitor.YieldsMissingBecause();
  if (!because.empty()) Log(fmt::format("directed yields are not counted: {}", because));
}

void AttachAgain(Monitor& monitor) {
  const Status attached = monitor.Attach();
  Log(attached ? "SIGUSR2: the probes are attached" : attached.error().Text());
  LogMissing(monitor);
}

// Whether to go on.
bool Obey(int signal, Monitor& monitor) {
  switch (signal) {
    case SIGHUP:
      monitor.RereadNames();
      Log("SIGHUP: read the names of VMs again");
      return true;
    case SIGUSR1:
      monitor.Release();
      Log("SIGUSR1: released the probes; kvm.ko can be unloaded. SIGUSR2 attaches them again");
      return true;
    case SIGUSR2:
      AttachAgain(monitor);
      return true;
    default:
      Log("ends");
      return false;
  }
}

void Loop(Monitor& monitor, Signals& signals, const ServiceNotify& systemd) {
  for (int tick = 0;; ++tick) {
    const std::optional<int> signal = signals.Wait(kTick);
    if (signal && !Obey(*signal, monitor)) return;
    for (const std::string& line : monitor.Tick()) Log(line);
    const bool is_due = systemd.watchdog() && tick % kTicksPerWatchdog == 0;
    if (is_due) LogProblem(systemd.Send("WATCHDOG=1"));
  }
}

}  // namespace

Privileges::Privileges(const MonitorOptions& options) {
  if (!options.probes) return;
  needed_ = {CAP_BPF, CAP_PERFMON};
  if (options.probe_statistics == ProbeStatistics::kPeriodic) needed_.push_back(CAP_SYS_ADMIN);
}

Status Privileges::GiveUpMost() const {
  std::vector<int> kept = needed_;
  if (::geteuid() == 0) kept.insert(kept.end(), {CAP_SETUID, CAP_SETGID});
  return KeepOnlyCapabilities(kept);
}

Result<std::string> Privileges::GiveUpRoot() const {
  if (::geteuid() != 0) {
    PLECTL_RETURN_IF_ERROR(KeepOnlyCapabilities(needed_));
    return std::string();
  }
  if (!needed_.empty() && host::IsKernelBefore(HostRoot(), 5, 19)) {
    PLECTL_RETURN_IF_ERROR(KeepOnlyCapabilities(needed_));
    return "Linux before 5.19 lets only CAP_BPF read what the probes count";
  }
  PLECTL_RETURN_IF_ERROR(BecomeNobody(needed_));
  return std::string();
}

Status Serve(const std::shared_ptr<Monitor>& monitor, Signals& signals,
             const metrics::ServerOptions& options, const MonitorOptions& watched) {
  PLECTL_ASSIGN_OR_RETURN(
      const auto server,
      metrics::MetricsServer::Start(options, std::make_shared<MonitorCollectable>(monitor)));
  PLECTL_ASSIGN_OR_RETURN(const std::string stays_because, Privileges(watched).GiveUpRoot());
  if (!stays_because.empty()) Log("stays root: " + stays_because);
  const ServiceNotify systemd = ServiceNotify::FromEnvironment();
  Log(fmt::format("listens on {}", server->Url()));
  if (watched.probes) {
    Log("the probes are in kvm.ko: a reload of kvm_intel or kvm_amd is not blocked, only kvm.ko "
        "stays "
        "loaded (until SIGUSR1)");
  }
  LogMissing(*monitor);
  LogProblem(systemd.Send("READY=1"));
  Loop(*monitor, signals, systemd);
  LogProblem(systemd.Send("STOPPING=1"));
  return OkStatus();
}

}  // namespace plectl::monitor
