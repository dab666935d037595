// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/dry_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host_tools/experiment/schedule.h"
#include "host_tools/experiment/sweep.h"
#include "host_tools/experiment/time_estimate.h"
#include "host_tools/experiment/workload_json.h"

namespace plectl::experiment {
namespace {

struct DryRun {
  RemainingWork work;
  TimeEstimate estimate;
  size_t reloads = 0;  // at most: the first set may already be in place
};

Result<DryRun> MakeDryRun(const Plan& plan, const std::filesystem::path& directory) {
  DryRun dry_run;
  PLECTL_ASSIGN_OR_RETURN(dry_run.work, FindRemainingWork(plan, directory));
  RunLog log;
  if (std::filesystem::exists(directory / kRunLogFileName)) {
    PLECTL_ASSIGN_OR_RETURN(log, LoadRunLog(directory));
  }
  dry_run.estimate = EstimateTime(plan, dry_run.work.trials, log);
  dry_run.reloads = plan.param_sets == std::vector{host::ParamValues()}
                        ? 0
                        : CountParamChanges(dry_run.work.trials);
  return dry_run;
}

std::string ParamsText(const host::ParamValues& params) {
  if (params.empty()) return "(as the host has them)";
  std::vector<std::string> pairs;
  for (const auto& [name, value] : params) pairs.push_back(fmt::format("{}={}", name, value));
  return fmt::format("{}", fmt::join(pairs, " "));
}

// What is not as usual, of the fields that few plans use.
std::string RareFieldsText(const guests::Workload& workload) {
  using guests::Distribution;
  const guests::Workload defaults;
  std::string text;
  if (workload.hold_distribution != Distribution::kFixed) text += " hold=exponential";
  if (workload.think_distribution != Distribution::kFixed) text += " think=exponential";
  if (workload.random_seed != defaults.random_seed) {
    text += fmt::format(" random_seed={}", workload.random_seed);
  }
  if (workload.relax_repeat != defaults.relax_repeat) {
    text += fmt::format(" relax_repeat={}", workload.relax_repeat);
  }
  return text;
}

std::string WorkloadText(const guests::Workload& workload) {
  return fmt::format(
      "{} {}vcpus={} cpus={} hold={} think={} {}={} body_loops={} {} interrupts_off={}{}",
      workload.payload, workload.vms == 1 ? "" : fmt::format("vms={} ", workload.vms),
      workload.vcpus, fmt::join(workload.cpus, ","), workload.hold_tsc_cycles,
      workload.think_tsc_cycles, workload.duration_tsc_cycles != 0 ? "duration" : "iterations",
      std::max(workload.duration_tsc_cycles, workload.iterations), workload.body_loops,
      SchedulingName(workload.scheduling), InterruptsOffName(workload.interrupts_off),
      RareFieldsText(workload));
}

std::string Summary(const Plan& plan, const DryRun& dry_run) {
  const RemainingWork& work = dry_run.work;
  const size_t labs = plan.lab_seeds.size();
  return fmt::format(
      "plan {}: {} trials = {}{} blocks x {} parameter sets x {} workloads x {} arms, seed {}\n"
      "to run: {} trials ({} are finished), at most {} module reloads and one more {}to restore\n"
      "time: about {:.0f} s ({})\n",
      plan.name, work.finished + work.trials.size(),
      labs == 0 ? "" : fmt::format("{} lab seeds x ", labs), plan.blocks, plan.param_sets.size(),
      plan.workloads.size(), plan.arms.size(), plan.seed, work.trials.size(), work.finished,
      dry_run.reloads, labs == 0 ? "" : "per lab ", dry_run.estimate.total_s,
      dry_run.estimate.basis);
}

size_t ArmWidth(Arm arm) { return ArmName(arm).size(); }

std::string LabSeedText(const ScheduledTrial& trial) {
  return trial.lab_seed ? fmt::format("lab seed {}  ", *trial.lab_seed) : "";
}

std::string ToText(const Plan& plan, const DryRun& dry_run) {
  const RemainingWork& work = dry_run.work;
  std::string text = Summary(plan, dry_run);
  for (const std::string& note : work.notes) text += fmt::format("note: {}\n", note);
  const size_t arm_width = ArmName(std::ranges::max(plan.arms, {}, ArmWidth)).size();
  for (size_t i = 0; i < work.trials.size(); ++i) {
    const ScheduledTrial& trial = work.trials[i];
    text += fmt::format("{:>6}  {}  {}block {}  {:<{}}  {}  {}\n", i + 1, trial.id,
                        LabSeedText(trial), trial.block, ArmName(trial.arm), arm_width,
                        ParamsText(plan.param_sets[trial.param_set]),
                        WorkloadText(plan.workloads[trial.workload]));
  }
  return text;
}

std::string ToJsonText(const Plan& plan, const DryRun& dry_run) {
  nlohmann::json trials = nlohmann::json::array();
  for (const ScheduledTrial& trial : dry_run.work.trials) {
    trials.push_back({{"id", trial.id},
                      {"block", trial.block},
                      {"arm", ArmName(trial.arm)},
                      {"params", plan.param_sets[trial.param_set]},
                      {"workload", ToJson(plan.workloads[trial.workload])}});
    if (trial.lab_seed) trials.back()["lab_seed"] = *trial.lab_seed;
  }
  const nlohmann::json object = {{"kind", "dry_run"},
                                 {"plan", plan.name},
                                 {"plan_sha256", plan.sha256},
                                 {"seed", plan.seed},
                                 {"trials_finished", dry_run.work.finished},
                                 {"reloads_max", dry_run.reloads},
                                 {"time_estimate_s", dry_run.estimate.total_s},
                                 {"time_estimate_basis", dry_run.estimate.basis},
                                 {"notes", dry_run.work.notes},
                                 {"trials", trials}};
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace

Result<std::string> DescribeDryRun(const Plan& plan, const std::filesystem::path& directory,
                                   bool as_json) {
  PLECTL_ASSIGN_OR_RETURN(const DryRun dry_run, MakeDryRun(plan, directory));
  return as_json ? ToJsonText(plan, dry_run) : ToText(plan, dry_run);
}

}  // namespace plectl::experiment
