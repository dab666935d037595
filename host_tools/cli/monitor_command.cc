// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/monitor_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "host_tools/metrics/listen_address.h"
#include "host_tools/metrics/metrics_server.h"
#include "host_tools/metrics/text_format.h"
#include "host_tools/monitor/bpf_probes.h"
#include "host_tools/monitor/daemon.h"
#include "host_tools/monitor/monitor.h"
#include "host_tools/monitor/privileges.h"
#include "host_tools/monitor/signals.h"

namespace plectl::cli {
namespace {

using monitor::Monitor;
using monitor::MonitorOptions;
using monitor::ProbeStatistics;

struct Options {
  std::string listen = "127.0.0.1:9753";
  std::string tls_certificate;
  std::string basic_auth_file;
  bool once = false;
  uint64_t interval_s = 1;
  uint64_t deadline_ms = 8000;
  std::string probes = "on";
  std::string exit_times = "on";
  std::string probe_statistics = "start";
  MonitorOptions monitor;
};

constexpr const char* kFooter =
    "Exit code 3: the probes could not be attached, or the address not be taken.\n"
    "SIGTERM, SIGINT: ends, exit code 0. SIGHUP: reads the names of VMs again. SIGUSR1: releases "
    "the\n"
    "probes, so that kvm.ko can be unloaded; counts stay as they are. SIGUSR2: attaches them "
    "again.\n"
    "A reload of kvm_intel or kvm_amd needs neither: the probes are in kvm.ko.\n"
    "Example: plectl monitor --listen 127.0.0.1:9753";

ProbeStatistics StatisticsOf(std::string_view name) {
  if (name == "off") return ProbeStatistics::kOff;
  return name == "start" ? ProbeStatistics::kAtStart : ProbeStatistics::kPeriodic;
}

MonitorOptions MonitorOptionsOf(const Options& options) {
  MonitorOptions result = options.monitor;
  result.scrape_deadline = std::chrono::milliseconds(options.deadline_ms);
  result.probes = options.probes == "on";
  result.probe_statistics = StatisticsOf(options.probe_statistics);
  result.exit_times = options.exit_times == "on";
  return result;
}

std::shared_ptr<Monitor> MakeMonitor(const HostRoot& root, const MonitorOptions& options) {
  // A vCPU too many has no series of its own, but is counted in its VM's.
  const monitor::ProbeOptions probes{
      .threads_max = static_cast<uint32_t>(2 * options.sampler.vcpus_max),
      .exit_times = options.exit_times};
  const auto attach = [root, probes](host::KvmModule module) {
    return monitor::AttachBpfProbes(root, module, probes);
  };
  return std::make_shared<Monitor>(root, options, attach);
}

Status PrintOnce(Monitor& watched, monitor::Signals& signals, const Options& options) {
  watched.Scrape();
  if (signals.Wait(std::chrono::seconds(options.interval_s))) {
    return Inconclusive("stopped by a signal before the interval's end");
  }
  fmt::print("{}", metrics::TextFormat(watched.Scrape()));
  return OkStatus();
}

// A sweep can do without BPF; of the monitor's that leaves the parameters.
Error WithStepOfMonitor(Error error) {
  constexpr std::string_view kOfSweep = "use the perf observers";
  const size_t found = error.hint.find(kOfSweep);
  if (found == std::string::npos) return error;
  error.hint.replace(found, std::string::npos, "show the parameters alone: monitor --probes off");
  return error;
}

Status RunMonitor(const HostRoot& root, const Options& options) {
  metrics::ServerOptions server;
  PLECTL_ASSIGN_OR_RETURN(server.address, metrics::ParseListenAddress(options.listen));
  server.tls_certificate = options.tls_certificate;
  server.basic_auth_file = options.basic_auth_file;
  const MonitorOptions monitor_options = MonitorOptionsOf(options);
  // Attaching takes a while: none of them may end the monitor meanwhile.
  PLECTL_ASSIGN_OR_RETURN(monitor::Signals signals, monitor::Signals::Block());
  const std::shared_ptr<Monitor> watched = MakeMonitor(root, monitor_options);
  if (const Status attached = watched->Attach(); !attached) {
    return Fail(WithStepOfMonitor(attached.error()));
  }
  const monitor::Privileges privileges(monitor_options);
  PLECTL_RETURN_IF_ERROR(privileges.GiveUpMost());
  if (!options.once) return monitor::Serve(watched, signals, server, monitor_options);
  PLECTL_RETURN_IF_ERROR(privileges.GiveUpRoot());
  return PrintOnce(*watched, signals, options);
}

void AddServerOptions(CLI::App& command, Options& options) {
  command
      .add_option("--listen", options.listen, "ADDR:PORT of the endpoint; /metrics, for Prometheus")
      ->capture_default_str();
  command.add_option("--tls-certificate", options.tls_certificate,
                     "PEM with key and certificate: serve HTTPS");
  command.add_option("--basic-auth-file", options.basic_auth_file,
                     "USER:PASSWORD that scrapes must give");
  command
      .add_option("--scrape-deadline-ms", options.deadline_ms,
                  "A scrape answers with what it has by then; keep it below Prometheus' own")
      ->check(CLI::Range(1, 3600000))
      ->capture_default_str();
  command.add_flag("--once", options.once, "Print one scrape after an interval instead of serving");
  command.add_option("--interval-s", options.interval_s, "The interval of --once")
      ->check(CLI::Range(0, 86400))
      ->capture_default_str();
}

void AddWatchOptions(CLI::App& command, Options& options) {
  MonitorOptions& monitor = options.monitor;
  command.add_option("--vms-max", monitor.sampler.vms_max, "VMs that get series")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command
      .add_option("--vcpus-max", monitor.sampler.vcpus_max,
                  "vCPUs that get series of their own; twice as many are counted in their VMs'")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command.add_flag("--per-vcpu-reasons", monitor.sampler.per_vcpu_reasons,
                   "Exits by reason of each vCPU too: some ten series per vCPU more");
  command
      .add_option("--exit-times", options.exit_times,
                  "on or off: how long exits are handled; about doubles what the probes cost")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  command
      .add_option("--probes", options.probes,
                  "on or off: without them only parameters and VMs with open KVM files are shown")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  command
      .add_option("--probe-statistics", options.probe_statistics,
                  "off, start or periodic: when the kernel measures what the probes cost; ten "
                  "seconds, besides a second of each minute (keeps CAP_SYS_ADMIN)")
      ->check(CLI::IsMember({"off", "start", "periodic"}))
      ->capture_default_str();
}

}  // namespace

void AddMonitorCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("monitor", "Watch PLE and exits of all VMs of this host for Prometheus");
  AddServerOptions(*command, *options);
  AddWatchOptions(*command, *options);
  command->footer(kFooter);
  command->callback(
      [&context, options] { context.exit_code = ExitCodeOf(RunMonitor(context.root, *options)); });
}

}  // namespace plectl::cli
