// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/kvm_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "host_tools/base/clock.h"
#include "host_tools/base/stop.h"
#include "host_tools/experiment/cross_check.h"
#include "host_tools/host/fingerprint.h"
#include "host_tools/host/noise_thresholds.h"

namespace plectl::experiment {
namespace {

// Arms both observers while all vCPUs are parked at the start barrier, and reads them while they
// are parked at the end: so they count the guest's measured part, and the same part. The noise
// watch looks closer still: arming by perf takes some 60 ms in the lab, with work of the kernel's.
// A foreign perf is on in the same part and, since it pairs each exit with the next entry, until
// each vCPU was entered once more.
class ObserverPair : public guests::GuestObserver {
 public:
  ObserverPair(KvmExecutorParts& parts, host::NoiseWatch& watch, std::span<const int> measured_cpus)
      : primary_(*parts.primary),
        check_(*parts.check),
        perf_(parts.perf),
        watch_(watch),
        measured_cpus_(measured_cpus) {}

  Status OnReady(pid_t tgid, std::span<const pid_t> vcpu_tids) override {
    PLECTL_RETURN_IF_ERROR(primary_.Arm(tgid, vcpu_tids));
    PLECTL_RETURN_IF_ERROR(check_.Arm(tgid, vcpu_tids));
    if (perf_) PLECTL_RETURN_IF_ERROR(perf_->Enable());
    watch_.Begin(measured_cpus_);
    return OkStatus();
  }

  Status OnFinished() override {
    noise = watch_.End();
    PLECTL_ASSIGN_OR_RETURN(counts.primary, primary_.Read());
    PLECTL_ASSIGN_OR_RETURN(counts.check, check_.Read());
    return OkStatus();
  }

  [[nodiscard]] bool wants_closing_entry() const override { return perf_.has_value(); }

  Status OnClosed(const Count& extra_exits) override {
    exits_after_end = extra_exits;
    return perf_ ? perf_->Disable() : OkStatus();
  }

  ObservedCounts counts;
  Count exits_after_end = 0;  // that only perf saw
  std::optional<host::NoiseRecord> noise;

 private:
  host::ExitCounter& primary_;
  host::ExitCounter& check_;
  std::optional<host::PerfControl>& perf_;
  host::NoiseWatch& watch_;
  std::span<const int> measured_cpus_;
};

constexpr std::string_view kDisabledByArm =
    "this arm's VMs have no PAUSE exits (KVM_CAP_X86_DISABLE_EXITS)";

host::ParamValues PleValuesOf(host::KvmModule module, const host::ParamValues& all) {
  host::ParamValues values;
  for (const host::PleParam& param : host::PleParams(module)) {
    const auto found = all.find(std::string(param.name));
    if (found != all.end()) values.insert(*found);
  }
  return values;
}

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

// The host CPUs that its vCPU threads are pinned to.
std::span<const int> MeasuredCpus(const guests::Workload& workload) {
  const std::span<const int> cpus = workload.cpus;
  return cpus.first(std::min<size_t>(cpus.size(), guests::VcpusOfAllVms(workload)));
}

// Also of an invalid trial: it may be why.
void RecordNoise(std::optional<host::NoiseRecord> noise, size_t measured_cpus,
                 TrialRecord& record) {
  record.noise = std::move(noise);
  if (record.noise) {
    record.disturbed_because = host::DisturbedBecause(*record.noise, measured_cpus);
  }
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

void FillGuestResult(const guests::GuestResult& result, TrialRecord& record) {
  record.throughput_per_s = result.all.throughput_per_s;
  record.tsc_khz = result.tsc_khz;
  record.elapsed_tsc_cycles = result.all.elapsed_tsc_cycles;
  record.vcpus = result.vcpus;
  record.fairness_jain = result.all.fairness_jain;
  record.waits = result.all.waits;
  if (result.vms.size() > 1) record.vms = result.vms;
  record.timings.setup_ns = result.setup_ns;
  record.timings.run_ns = result.run_ns;
  record.timings.teardown_ns = result.teardown_ns;
}

}  // namespace

KvmExecutor::KvmExecutor(KvmExecutorParts parts)
    : parts_(std::move(parts)), host_(host::Fingerprint(parts_.root)), noise_(parts_.root) {}

std::vector<std::string> KvmExecutor::Observers() const {
  std::vector<std::string> names = {std::string(parts_.primary->name())};
  // The same twice is no pair: --observer none.
  if (parts_.check->name() != parts_.primary->name()) names.emplace_back(parts_.check->name());
  if (parts_.perf) names.emplace_back("perf-control");
  return names;
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
  PLECTL_RETURN_IF_ERROR(RunGuest(plan, record));
  PLECTL_RETURN_IF_ERROR(CheckParamsUnchanged(record));
  record.timings.own_ns =
      whole_trial.ElapsedNs() - record.timings.params_ns - record.timings.run_ns;
  return record;
}

Status KvmExecutor::ApplyParams(const host::ParamValues& wanted, TrialRecord& record) {
  const Stopwatch applying;
  PLECTL_ASSIGN_OR_RETURN(const host::ParamValues all, parts_.params.Apply(wanted));
  record.timings.params_ns = applying.ElapsedNs();
  record.params = PleValuesOf(parts_.module, all);
  PLECTL_ASSIGN_OR_RETURN(const std::optional<std::string> off,
                          host::WhyPleIsOff(parts_.root, parts_.module, all));
  record.ple_off_because = off.value_or("");
  if (record.ple_off_because.empty() && record.arm == Arm::kPauseExitsDisabled) {
    record.ple_off_because = kDisabledByArm;
  }
  return OkStatus();
}

Status KvmExecutor::RunGuest(const Plan& plan, TrialRecord& record) {
  const std::span<const int> cpus = MeasuredCpus(record.workload);
  ObserverPair observers(parts_, noise_, cpus);
  const Stopwatch running;
  const guests::GuestRequest request = RequestOf(plan, record, parts_.relax_tsc_cycles);
  const Result<guests::GuestResult> result = parts_.runner->Run(request, observers);
  RecordNoise(std::move(observers.noise), cpus.size(), record);
  if (result) {
    FillGuestResult(*result, record);
    RecordCounts(observers.counts, record);
    RecordExitsAfterEnd(observers.exits_after_end, record);
    return OkStatus();
  }
  // A guest that misbehaves spoils its own trial only; everything else ends the run.
  PLECTL_RETURN_IF_ERROR(CheckNotStopped());
  if (result.error().kind != ErrorKind::kInconclusive) return Fail(result.error());
  record.timings.run_ns = running.ElapsedNs();
  record.invalid_because = result.error().Text();
  return OkStatus();
}

Status KvmExecutor::CheckParamsUnchanged(TrialRecord& record) const {
  PLECTL_ASSIGN_OR_RETURN(const host::ParamValues now,
                          host::ReadParams(parts_.root, parts_.module));
  if (record.valid() && PleValuesOf(parts_.module, now) != record.params) {
    record.invalid_because = fmt::format("the parameters of {} changed during the trial",
                                         host::ModuleName(parts_.module));
  }
  return OkStatus();
}

}  // namespace plectl::experiment
