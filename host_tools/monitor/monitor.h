// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/base/fd.h"
#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/monitor/kernel_counts.h"
#include "host_tools/monitor/monitor_state.h"

namespace plectl::monitor {

// When the kernel's run-time statistics of BPF programs are on, which cost each program time too.
enum class ProbeStatistics {
  kOff,
  kAtStart,   // for ten seconds after the probes were attached
  kPeriodic,  // besides for one second of every minute: CAP_SYS_ADMIN is kept for that
};

struct MonitorOptions {
  SamplerOptions sampler;
  std::chrono::milliseconds scrape_deadline{8000};
  ProbeStatistics probe_statistics = ProbeStatistics::kAtStart;
  bool exit_times = true;
  bool probes = true;
};

// Attaches the probes for a vendor's module.
using AttachProbes = std::function<Result<std::unique_ptr<KernelCounts>>(host::KvmModule module)>;

// What the daemon does, without its signals and its listener. Safe for several threads at once.
class Monitor {
 public:
  Monitor(const HostRoot& root, const MonitorOptions& options, AttachProbes attach);

  // Reads all and makes a scrape of it. After the deadline of the options it answers with what is
  // there; it never waits longer for another scrape.
  std::vector<prometheus::MetricFamily> Scrape();
  // To be called some times a second: looks for module loads, attaches probes that are missing, and
  // keeps up when nobody scrapes. What happened, for the log; mostly nothing.
  std::vector<std::string> Tick();

  // Error when they cannot be attached now; Tick() tries again.
  Status Attach();
  // Detaches all: nothing of ours keeps kvm.ko loaded or costs an exit. Counts stay as they are
  // until Attach(), and go on from there.
  void Release();
  void RereadNames();
  // Empty when they are counted, and while nothing is.
  std::string YieldsMissingBecause();

 private:
  // These need mutex_.
  bool Update(int64_t deadline_ns);
  Status AttachNow();
  void ReadKernelTotals();
  void NoteProbes();
  void TickStatistics(int64_t now_ns);
  void TickProbes(int64_t now_ns, std::vector<std::string>& log);
  void TickMissing(std::vector<std::string>& log);

  OwnState CountScrape(bool complete, double scrape_s);

  HostRoot root_;
  MonitorOptions options_;
  AttachProbes attach_;

  std::timed_mutex mutex_;  // of what is down to own_mutex_
  MonitorState state_;
  std::unique_ptr<KernelCounts> kernel_;
  bool wants_probes_;
  std::string yields_missing_;  // as the log says
  bool sees_processes_ = true;  // the same
  // Of probes that were released.
  SlotTimes exit_times_before_ = {};
  uint64_t lost_exits_before_ = 0;
  std::map<std::string, ProbeCost> costs_before_;
  Fd statistics_;
  int64_t statistics_next_ns_ = 0;  // when to switch them off, or on
  int64_t next_attach_ns_ = 0;
  int64_t last_update_ns_ = 0;

  std::mutex own_mutex_;  // never held for long
  OwnState own_;
};

// Serves a monitor's scrapes.
class MonitorCollectable final : public prometheus::Collectable {
 public:
  explicit MonitorCollectable(std::shared_ptr<Monitor> monitor) : monitor_(std::move(monitor)) {}
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    return monitor_->Scrape();
  }

 private:
  std::shared_ptr<Monitor> monitor_;
};

}  // namespace plectl::monitor
