// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/trial_sample.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <string>

#include "host_tools/experiment/workload_json.h"

namespace plectl::output {
namespace {

using analysis::Setting;
using analysis::SettingKind;

uint64_t ExtraOf(const guests::VcpuResult& vcpu, const std::string& name) {
  const auto found = vcpu.extra.find(name);
  return found == vcpu.extra.end() ? 0 : found->second;
}

std::optional<analysis::StormTotals> StormOf(const experiment::TrialRecord& trial) {
  analysis::StormTotals totals;
  for (const guests::VcpuResult& vcpu : trial.vcpus) {
    const uint64_t interval = ExtraOf(vcpu, "pause_interval_tsc_cycles");
    if (interval == 0) continue;
    ++totals.vcpus;
    totals.interval_tsc_cycles += interval;
    totals.full_runs += ExtraOf(vcpu, "full_runs");
    totals.full_runs_tsc_cycles += ExtraOf(vcpu, "full_runs_tsc_cycles");
  }
  if (totals.vcpus == 0) return std::nullopt;
  return totals;
}

}  // namespace

std::vector<Setting> SettingsOf(const guests::Workload& workload, const host::ParamValues& params) {
  std::vector<Setting> settings = {
      {SettingKind::kWorkload, "payload", workload.payload},
      {SettingKind::kWorkload, "vms", std::to_string(workload.vms)},
      {SettingKind::kWorkload, "vcpus", std::to_string(workload.vcpus)},
      {SettingKind::kWorkload, "cpus", fmt::format("{}", fmt::join(workload.cpus, ","))},
      {SettingKind::kWorkload, "hold_tsc_cycles", std::to_string(workload.hold_tsc_cycles)},
      {SettingKind::kWorkload, "think_tsc_cycles", std::to_string(workload.think_tsc_cycles)},
      {SettingKind::kWorkload, "iterations", std::to_string(workload.iterations)},
      {SettingKind::kWorkload, "body_loops", std::to_string(workload.body_loops)},
      {SettingKind::kWorkload, "scheduling",
       std::string(experiment::SchedulingName(workload.scheduling))},
      {SettingKind::kWorkload, "interrupts_off",
       std::string(experiment::InterruptsOffName(workload.interrupts_off))},
      {SettingKind::kWorkload, "duration_tsc_cycles", std::to_string(workload.duration_tsc_cycles)},
      {SettingKind::kWorkload, "hold_distribution",
       std::string(experiment::DistributionName(workload.hold_distribution))},
      {SettingKind::kWorkload, "think_distribution",
       std::string(experiment::DistributionName(workload.think_distribution))},
      {SettingKind::kWorkload, "random_seed", std::to_string(workload.random_seed)},
      {SettingKind::kWorkload, "relax_repeat", std::to_string(workload.relax_repeat)},
  };
  for (const auto& [name, value] : params) {
    settings.push_back({SettingKind::kParam, name, value});
  }
  return settings;
}

analysis::TrialSample ToSample(const experiment::TrialRecord& trial) {
  analysis::TrialSample sample = FiguresOfTrial(trial);
  sample.settings = SettingsOf(trial.workload, trial.params);
  sample.arm = experiment::ArmName(trial.arm);
  return sample;
}

analysis::TrialSample FiguresOfTrial(const experiment::TrialRecord& trial) {
  analysis::TrialSample sample;
  sample.lab_seed = trial.lab_seed;
  sample.throughput_per_s = trial.throughput_per_s;
  sample.pause_exits = trial.pause_exits;
  sample.window_updates = trial.window_updates;
  for (const guests::VcpuResult& vcpu : trial.vcpus) sample.acquisitions += vcpu.acquisitions;
  sample.fairness_jain = trial.fairness_jain;
  if (trial.waits) sample.wait_p99_tsc_cycles = trial.waits->p99;
  sample.storm = StormOf(trial);
  sample.ple_off_because = trial.ple_off_because;
  if (trial.contention) {
    sample.contended_share = trial.contention->contended_share();
    sample.overlap_share = trial.contention->overlap;
  }
  sample.not_contended = !trial.not_contended_because.empty();
  sample.disturbed = !trial.disturbed_because.empty();
  return sample;
}

}  // namespace plectl::output
