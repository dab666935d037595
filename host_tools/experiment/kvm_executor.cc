// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/kvm_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "host_tools/base/clock.h"
#include "host_tools/base/sha256.h"
#include "host_tools/base/stop.h"
#include "host_tools/experiment/cross_check.h"
#include "host_tools/experiment/gap_reach.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/experiment/lab_host.h"
#include "host_tools/experiment/vcpu_account.h"
#include "host_tools/guests/start_phase.h"
#include "host_tools/host/fingerprint.h"
#include "host_tools/host/noise_thresholds.h"
#include "host_tools/host/observer_cost.h"
#include "host_tools/host/ple_values.h"

namespace plectl::experiment {
namespace {

// Makes the times of `track` relative.
void CountFrom(int64_t start_ns, std::optional<host::WindowTrack>& track) {
  if (!track) return;
  for (auto* changes : {&track->first, &track->last}) {
    for (host::WindowChange& change : *changes) change.time_ns -= start_ns;
  }
}

// Arms the observers while all vCPUs are parked at the start barrier, and reads them while they
// are parked at the end: so they count the guest's measured part, and the same part. The noise
// watch looks closer still: arming by perf takes some 60 ms in the lab, with work of the kernel's.
// A foreign perf is on in the same part and, since it pairs each exit with the next entry, until
// each vCPU was entered once more.
class TrialObserver : public guests::GuestObserver {
 public:
  // `check` is null in a trial that it does not watch.
  TrialObserver(KvmExecutorParts& parts, host::ExitCounter* check, host::NoiseWatch& watch,
                std::span<const int> measured_cpus, std::chrono::nanoseconds wait)
      : observers_(parts.observers),
        check_(check),
        perf_(parts.perf ? &*parts.perf : nullptr),
        watch_(watch),
        measured_cpus_(measured_cpus),
        wait_(wait) {}

  Status OnReady(pid_t tgid, std::span<const pid_t> vcpu_tids) override {
    PLECTL_RETURN_IF_ERROR(observers_.primary->Arm(tgid, vcpu_tids));
    if (check_ != nullptr) PLECTL_RETURN_IF_ERROR(check_->Arm(tgid, vcpu_tids));
    if (observers_.hardware) observers_.hardware->Arm(vcpu_tids);
    if (perf_ != nullptr) PLECTL_RETURN_IF_ERROR(perf_->Enable());
    watch_.Begin(measured_cpus_, vcpu_tids);
    // After all that ends with a tick of the host's timer.
    if (wait_.count() > 0) std::this_thread::sleep_for(wait_);
    released_ns_ = MonotonicNs();
    return OkStatus();
  }

  Status OnFinished() override {
    noise = watch_.End();
    if (observers_.hardware) hardware = observers_.hardware->Read();
    PLECTL_ASSIGN_OR_RETURN(counts.primary, observers_.primary->Read());
    for (host::VcpuCounts& vcpu : counts.primary.vcpus) CountFrom(released_ns_, vcpu.window);
    if (check_ == nullptr) return OkStatus();
    PLECTL_ASSIGN_OR_RETURN(counts.check, check_->Read());
    return OkStatus();
  }

  // The foreign perf shall see the trials only.
  void LeavePerfOff() { perf_ = nullptr; }

  [[nodiscard]] bool wants_closing_entry() const override { return perf_ != nullptr; }

  Status OnClosed(const Count& extra_exits) override {
    exits_after_end = extra_exits;
    return perf_ != nullptr ? perf_->Disable() : OkStatus();
  }

  ObservedCounts counts;
  Count exits_after_end = 0;  // that only perf saw
  std::optional<host::NoiseRecord> noise;
  std::optional<host::HardwareCounts> hardware;

 private:
  host::ObserverPair& observers_;
  host::ExitCounter* check_;
  host::PerfControl* perf_;
  host::NoiseWatch& watch_;
  std::span<const int> measured_cpus_;
  std::chrono::nanoseconds wait_;
  int64_t released_ns_ = 0;
};

constexpr std::string_view kDisabledByArm =
    "this arm's VMs have no PAUSE exits (KVM_CAP_X86_DISABLE_EXITS)";

guests::GuestRequest RequestOf(const Plan& plan, const TrialRecord& record,
                               uint64_t relax_tsc_cycles) {
  guests::GuestRequest request;
  request.workload = record.workload;
  request.relax =
      record.arm == Arm::kNop ? guests::RelaxInstruction::kNop : guests::RelaxInstruction::kPause;
  request.pause_exits_disabled = record.arm == Arm::kPauseExitsDisabled;
  request.relax_tsc_cycles = relax_tsc_cycles;
  request.deadline = std::chrono::milliseconds(plan.deadline_ms);
  return request;
}

// Each attempt at each trial draws its own phase, from all that names it: trials of other plans,
// seeds, blocks and points are independent draws, and the same job repeats itself.
guests::StartPhase PhaseOf(const Plan& plan, const TrialRecord& record,
                           const nlohmann::json& host) {
  constexpr size_t kDigits = 16;  // of a 64-bit number
  const nlohmann::json lab = LabWithSeed(host);
  const bool has_seed = lab.is_object() && lab.contains("seed");
  const std::string names = fmt::format("{} {} {} {}", plan.sha256, record.id, record.attempt,
                                        has_seed ? lab["seed"].dump() : "");
  const uint64_t seed = std::stoull(Sha256Hex(names).substr(0, kDigits), nullptr, 16);
  return guests::DrawStartPhase(seed, record.workload);
}

// The host CPUs that its vCPU threads are pinned to.
std::span<const int> MeasuredCpus(const guests::Workload& workload) {
  const std::span<const int> cpus = workload.cpus;
  return cpus.first(std::min<size_t>(cpus.size(), guests::VcpusOfAllVms(workload)));
}

// Also of an invalid trial: it may be why.
void RecordNoise(std::optional<host::NoiseRecord> noise, size_t measured_cpus,
                 TrialRecord& record) {
  record.noise = std::move(noise);
  if (!record.noise) return;
  record.disturbed_because = host::DisturbedBecause(*record.noise, measured_cpus);
  // Its record names other CPUs than those that were measured.
  const Count& moved = record.noise->counts[host::NoiseQuantity::kMoved];
  if (record.valid() && moved.has_value() && moved.value() > 0) {
    record.invalid_because = record.disturbed_because;
  }
}

// What only the guest's result tells: how long vCPUs were kept from running.
void AccountForVcpus(const guests::GuestResult& result, std::span<const int> cpus,
                     const host::NoiseWatch& watch, std::optional<host::NoiseRecord>& noise) {
  if (!noise) return;
  const std::vector<VcpuTimes> vcpus = TimesOf(result.vcpus, cpus);
  noise->counts[host::NoiseQuantity::kStoppedNs] = LongestStopNs(vcpus);
  noise->counts[host::NoiseQuantity::kLostNs] =
      LostNs(vcpus, [&](int cpu) { return watch.RunNsOn(cpu); });
}

// Such a trial's counts are right, but perf's are not the same.
void RecordExitsAfterEnd(const Count& exits, TrialRecord& record) {
  if (!record.valid() || exits == Count(0)) return;
  record.invalid_because =
      exits.has_value() ? fmt::format(
                              "perf saw {} exits after the guest's end, as when an "
                              "interrupt comes into the closing entry",
                              exits.value())
                        : "perf may have seen exits after the guest's end: no count of them, " +
                              exits.missing_because();
}

// The addresses of the vCPUs are those of one payload.
void RecordPauseSites(const guests::CodePlaces& places, TrialRecord& record) {
  std::vector<host::PauseRips> rips;
  for (host::VcpuCounts& vcpu : record.observed) {
    if (vcpu.pause_rips) rips.push_back(*std::exchange(vcpu.pause_rips, {}));
  }
  if (!rips.empty()) record.pause_sites = SitesOf(rips, places);
}

void RecordHardware(const std::optional<host::HardwareCounts>& counts, TrialRecord& record) {
  if (!counts) return;
  record.energy_uj = counts->energy_uj;
  for (size_t i = 0; i < std::min(counts->vcpus.size(), record.observed.size()); ++i) {
    record.observed[i].hardware = counts->vcpus[i];
  }
}

}  // namespace

KvmExecutor::KvmExecutor(KvmExecutorParts parts)
    : parts_(std::move(parts)), host_(host::Fingerprint(parts_.root)), noise_(parts_.root) {}

std::vector<std::string> KvmExecutor::Observers() const {
  std::vector<std::string> names = parts_.observers.Names();
  if (parts_.perf) names.emplace_back("perf-control");
  return names;
}

nlohmann::json KvmExecutor::ObserverCost() const {
  const host::ObserverCost cost = host::CostInLab(Observers());
  nlohmann::json object = {
      {"instructions_per_pause_exit", ToJson(cost.per_pause_exit)},
      {"instructions_per_other_exit", ToJson(cost.per_other_exit)},
      {"instructions_source", "counted in the lab (plectl docs observer_effect)"},
      {"ns_per_exit", ToJson(Count::Missing("not measured on this host: run plectl calibrate"))}};
  for (const auto& [detail, because] : parts_.observers.details_missing) {
    object["details"][detail] = ToJson(Count::Missing(because));
  }
  return object;
}

Result<TrialRecord> KvmExecutor::Run(const Plan& plan, const ScheduledTrial& trial,
                                     uint32_t attempt) {
  const Stopwatch whole_trial;
  TrialRecord record;
  record.id = trial.id;
  record.block = trial.block;
  record.attempt = attempt;
  record.arm = trial.arm;
  record.workload = plan.workloads[trial.workload];
  PLECTL_RETURN_IF_ERROR(ApplyParams(plan.param_sets[trial.param_set], record));
  PLECTL_RETURN_IF_ERROR(RunGuest(plan, TrialRole::kMeasured, record));
  PLECTL_RETURN_IF_ERROR(CheckParamsUnchanged(record));
  record.timings.own_ns =
      whole_trial.ElapsedNs() - record.timings.params_ns - record.timings.run_ns;
  return record;
}

Status KvmExecutor::ApplyParams(const host::ParamValues& wanted, TrialRecord& record) {
  const Stopwatch applying;
  const int reloads_before = parts_.params.reloads();
  PLECTL_ASSIGN_OR_RETURN(const host::ParamValues all, parts_.params.Apply(wanted));
  record.timings.params_ns = applying.ElapsedNs();
  record.timings.reloads = static_cast<uint64_t>(parts_.params.reloads() - reloads_before);
  record.params = host::PleValuesOf(parts_.module, all);
  PLECTL_ASSIGN_OR_RETURN(const std::optional<std::string> off,
                          host::WhyPleIsOff(parts_.root, parts_.module, all));
  record.ple_off_because = off.value_or("");
  if (record.ple_off_because.empty() && record.arm == Arm::kPauseExitsDisabled) {
    record.ple_off_because = kDisabledByArm;
  }
  return OkStatus();
}

Status KvmExecutor::RunGuest(const Plan& plan, TrialRole role, TrialRecord& record) {
  const std::span<const int> cpus = MeasuredCpus(record.workload);
  PLECTL_ASSIGN_OR_RETURN(host::ExitCounter* const check, CheckObserverFor(role));
  const bool is_control = role == TrialRole::kControl;
  guests::GuestRequest request = RequestOf(plan, record, parts_.relax_tsc_cycles);
  // A control counts what does not depend on it.
  if (!is_control) request.phase = PhaseOf(plan, record, host_);
  TrialObserver observers(parts_, check, noise_, cpus, request.phase.wait);
  if (is_control) observers.LeavePerfOff();
  observers.counts.unchecked_because = parts_.observers.unchecked_because;
  observers.counts.kvm_lacks_fast_path_exits = parts_.observers.kvm_lacks_fast_path_exits;
  const Stopwatch running;
  guests::GuestRunner& runner = is_control ? *parts_.control_runner : *parts_.runner;
  const Result<guests::GuestResult> result = runner.Run(request, observers);
  if (result) {
    AccountForVcpus(*result, cpus, noise_, observers.noise);
    RecordGuestResult(*result, record);
    RecordCounts(observers.counts, record);
    RecordPauseSites(parts_.places, record);
    RecordHardware(observers.hardware, record);
    RecordExitsAfterEnd(observers.exits_after_end, record);
    RecordGapTooSmall(record);
  }
  RecordNoise(std::move(observers.noise), cpus.size(), record);
  if (result) return OkStatus();
  // A guest that misbehaves spoils its own trial only; everything else ends the run.
  PLECTL_RETURN_IF_ERROR(CheckNotStopped());
  if (result.error().kind != ErrorKind::kInconclusive) return Fail(result.error());
  record.timings.run_ns = running.ElapsedNs();
  record.invalid_because = result.error().Text();
  return OkStatus();
}

// A gap that no loop can stay below turns PLE off as a gap of 0 does. Exits that came all the same
// show that the calibration is not that of the trial.
void KvmExecutor::RecordGapTooSmall(TrialRecord& record) const {
  if (!record.ple_off_because.empty() || record.pause_exits != Count(0)) return;
  record.ple_off_because = WhyGapTooSmall(parts_.module, record.params,
                                          LeastIntervalTscCycles(record.workload, calibration_));
}

// What is attached costs the exits also while it is not armed.
Result<host::ExitCounter*> KvmExecutor::CheckObserverFor(TrialRole role) {
  host::ExitCounter* const check = parts_.observers.check.get();
  if (check == nullptr) return nullptr;
  const bool watches =
      role == TrialRole::kControl || parts_.observers.check_trials == host::CheckTrials::kEvery;
  PLECTL_RETURN_IF_ERROR(check->SetAttached(watches));
  return watches ? check : nullptr;
}

Status KvmExecutor::CheckParamsUnchanged(TrialRecord& record) const {
  PLECTL_ASSIGN_OR_RETURN(const host::ParamValues now,
                          host::ReadParams(parts_.root, parts_.module));
  if (record.valid() && host::PleValuesOf(parts_.module, now) != record.params) {
    record.invalid_because = fmt::format("the parameters of {} changed during the trial",
                                         host::ModuleName(parts_.module));
  }
  return OkStatus();
}

}  // namespace plectl::experiment
