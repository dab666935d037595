// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/monitor.h"

#include <fmt/format.h>

#include <ctime>
#include <limits>
#include <utility>

#include "host_tools/base/clock.h"
#include "host_tools/host/module_params.h"
#include "host_tools/monitor/bpf_probes.h"
#include "host_tools/monitor/monitor_metrics.h"

namespace plectl::monitor {
namespace {

constexpr int64_t kNsPerS = 1'000'000'000;
constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kStatisticsAtStartNs = 10 * kNsPerS;
constexpr int64_t kStatisticsOnNs = 1 * kNsPerS;
constexpr int64_t kStatisticsOffNs = 59 * kNsPerS;
constexpr int64_t kAttachAgainNs = 10 * kNsPerS;
// Without scrapes, threads that end must be forgotten all the same.
constexpr int64_t kUpdateAfterNs = 30 * kNsPerS;

double TimeOfDayS() {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) / static_cast<double>(kNsPerS);
}

void AddTo(SlotTimes& sum, const SlotTimes& more) {
  for (size_t slot = 0; slot < sum.size(); ++slot) monitor::AddTo(sum[slot], more[slot]);
}

void AddTo(std::map<std::string, ProbeCost>& sum, const std::vector<ProbeCost>& more) {
  for (const ProbeCost& cost : more) {
    ProbeCost& total = sum[cost.program];
    total.runs += cost.runs;
    total.time_ns += cost.time_ns;
    total.missed += cost.missed;
  }
}

uint64_t Reloads(const ModuleWatch& modules) {
  uint64_t reloads = 0;
  for (const auto& [name, state] : modules.states()) reloads += state.reloads;
  return reloads;
}

}  // namespace

Monitor::Monitor(const HostRoot& root, const MonitorOptions& options, AttachProbes attach)
    : root_(root),
      options_(options),
      attach_(std::move(attach)),
      state_(root, options.sampler),
      wants_probes_(options.probes) {
  state_.modules.Look(TimeOfDayS());
  state_.sampler.ScanOpenFiles();
  if (options.probes) own_.bpf_healthy = false;
}

Status Monitor::Attach() {
  const std::lock_guard lock(mutex_);
  wants_probes_ = options_.probes;
  return kernel_ == nullptr ? AttachNow() : OkStatus();
}

Status Monitor::AttachNow() {
  if (!wants_probes_) return OkStatus();
  next_attach_ns_ = MonotonicNs() + kAttachAgainNs;
  PLECTL_ASSIGN_OR_RETURN(const host::KvmModule module, host::LoadedModule(root_));
  PLECTL_ASSIGN_OR_RETURN(kernel_, attach_(module));
  state_.slots = MakeExitSlotTable(module);
  state_.sampler.SetPauseSlot(state_.slots->pause_slot);
  state_.counts_yields = kernel_->YieldsMissingBecause().empty();
  state_.counts_times = options_.exit_times;
  if (options_.probe_statistics != ProbeStatistics::kOff) {
    // Their absence shows: there are no figures then.
    if (auto statistics = EnableBpfStatistics()) statistics_ = *std::move(statistics);
    statistics_next_ns_ = MonotonicNs() + kStatisticsAtStartNs;
  }
  NoteProbes();
  return OkStatus();
}

void Monitor::Release() {
  const std::lock_guard lock(mutex_);
  wants_probes_ = false;
  if (kernel_ == nullptr) return;
  ReadKernelTotals();
  state_.sampler.Fold(*kernel_);
  if (state_.exit_times) exit_times_before_ = *state_.exit_times;
  lost_exits_before_ += kernel_->LostExits();
  AddTo(costs_before_, kernel_->ProbeCosts());
  kernel_.reset();
  statistics_.Reset();
  NoteProbes();
}

std::string Monitor::YieldsMissingBecause() {
  const std::lock_guard lock(mutex_);
  return kernel_ == nullptr ? "" : kernel_->YieldsMissingBecause();
}

void Monitor::RereadNames() {
  const std::lock_guard lock(mutex_);
  state_.sampler.table().RereadNames();
  state_.sampler.ScanOpenFiles();
}

void Monitor::NoteProbes() {
  const std::lock_guard lock(own_mutex_);
  if (options_.probes) own_.bpf_healthy = kernel_ != nullptr;
}

void Monitor::ReadKernelTotals() {
  auto costs = costs_before_;
  AddTo(costs, kernel_->ProbeCosts());
  const uint64_t lost = lost_exits_before_ + kernel_->LostExits();
  if (options_.exit_times) {
    auto times = kernel_->ExitTimes();
    if (times) AddTo(*times, exit_times_before_);
    state_.exit_times = times ? std::optional(*std::move(times)) : std::nullopt;
  }
  const std::lock_guard lock(own_mutex_);
  own_.probe_costs = std::move(costs);
  own_.lost_exits = lost;
}

bool Monitor::Update(int64_t deadline_ns) {
  last_update_ns_ = MonotonicNs();
  bool complete = false;
  bool known = true;
  if (kernel_ == nullptr) {
    if (!options_.probes) state_.sampler.ScanOpenFiles();  // nothing else finds VMs
    complete = state_.sampler.UpdateWithoutCounts(deadline_ns);
  } else {
    const auto updated = state_.sampler.Update(*kernel_, deadline_ns);
    known = updated.has_value();
    complete = updated.value_or(false);
    state_.counts_yields = kernel_->YieldsMissingBecause().empty();
    ReadKernelTotals();
  }
  state_.modules.Look(TimeOfDayS());
  state_.modules.ReadParameters();
  const bool sees_processes = state_.sampler.table().files().SeesOthers();
  const std::lock_guard lock(own_mutex_);
  own_.vms_healthy = known && sees_processes;
  if (options_.probes) own_.bpf_healthy = kernel_ != nullptr && known;
  return complete;
}

OwnState Monitor::CountScrape(bool complete, double scrape_s) {
  const std::lock_guard lock(own_mutex_);
  ++(complete ? own_.scrapes_complete : own_.scrapes_deadline);
  own_.scrape_s = scrape_s;
  return own_;
}

std::vector<prometheus::MetricFamily> Monitor::Scrape() {
  const Stopwatch watch;
  const auto elapsed_s = [&] {
    return static_cast<double>(watch.ElapsedNs()) / static_cast<double>(kNsPerS);
  };
  const int64_t deadline_ns = MonotonicNs() + options_.scrape_deadline.count() * kNsPerMs;
  const std::unique_lock lock(mutex_, options_.scrape_deadline);
  if (!lock.owns_lock()) return OwnFamilies(root_, CountScrape(false, elapsed_s()));
  const bool complete = Update(deadline_ns);
  return MonitorFamilies(root_, state_, CountScrape(complete, elapsed_s()));
}

void Monitor::TickProbes(int64_t now_ns, std::vector<std::string>& log) {
  if (kernel_ != nullptr || !wants_probes_ || now_ns < next_attach_ns_) return;
  const Status attached = AttachNow();
  log.push_back(attached ? "probes attached" : "cannot attach: " + attached.error().Text());
}

void Monitor::TickStatistics(int64_t now_ns) {
  if (kernel_ == nullptr || now_ns < statistics_next_ns_) return;
  if (statistics_.valid()) {
    statistics_.Reset();
    statistics_next_ns_ = now_ns + kStatisticsOffNs;
  } else if (options_.probe_statistics == ProbeStatistics::kPeriodic) {
    if (auto statistics = EnableBpfStatistics()) statistics_ = *std::move(statistics);
    statistics_next_ns_ = now_ns + kStatisticsOnNs;
  }
}

// What begins or ceases to be missing while the monitor runs.
void Monitor::TickMissing(std::vector<std::string>& log) {
  const std::string yields = kernel_ == nullptr ? "" : kernel_->YieldsMissingBecause();
  if (yields != yields_missing_) {
    log.push_back(yields.empty() ? "directed yields are counted again"
                                 : "directed yields are not counted: " + yields);
    yields_missing_ = yields;
  }
  const bool sees = state_.sampler.table().files().SeesOthers();
  if (sees != sees_processes_) {
    log.emplace_back(sees ? "processes can be seen again"
                          : "the processes of VMs cannot be seen (/proc is mounted with hidepid): "
                            "mount it with gid= of a group of the monitor's");
  }
  sees_processes_ = sees;
}

std::vector<std::string> Monitor::Tick() {
  std::vector<std::string> log;
  const std::lock_guard lock(mutex_);
  const uint64_t reloads = Reloads(state_.modules);
  state_.modules.Look(TimeOfDayS());
  if (Reloads(state_.modules) != reloads) {
    log.emplace_back("a module of KVM was loaded again; the probes, in kvm.ko, stay attached");
  }
  const int64_t now_ns = MonotonicNs();
  TickProbes(now_ns, log);
  TickStatistics(now_ns);
  TickMissing(log);
  if (now_ns - last_update_ns_ > kUpdateAfterNs) Update(std::numeric_limits<int64_t>::max());
  return log;
}

}  // namespace plectl::monitor
