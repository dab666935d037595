// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/dry_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host_tools/experiment/equal_settings.h"
#include "host_tools/experiment/schedule.h"
#include "host_tools/experiment/sweep.h"
#include "host_tools/experiment/time_estimate.h"
#include "host_tools/experiment/workload_json.h"

namespace plectl::experiment {
namespace {

struct DryRun {
  const RemainingWork& work;
  TimeEstimate estimate;
  size_t reloads = 0;  // at most: the first set may already be in place
};

DryRun MakeDryRun(const Plan& plan, const RemainingWork& work) {
  return {work, EstimateTime(plan, work.trials, work.costs),
          plan.param_sets == std::vector{host::ParamValues()} ? 0 : CountParamChanges(work.trials)};
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

// "ple_gap=0 ple_window=4096: as ple_gap=0 ple_window=1024, PLE is off".
std::string EqualSetText(const Plan& plan, const host::ParamValues& params) {
  const host::ParamValues effect = EffectOf(params);
  const auto run = std::ranges::find(plan.param_sets, effect, EffectOf);
  return fmt::format("  {}{}, {}\n", ParamsText(params),
                     run == plan.param_sets.end() ? "" : ": as " + ParamsText(*run),
                     WhyEqual(params));
}

// What the plan names and is not run, since it would measure the same.
std::string EqualSetsNote(const Plan& plan, bool all) {
  if (plan.equal_sets.empty()) return "";
  constexpr size_t kShown = 5;
  const size_t shown = all ? plan.equal_sets.size() : std::min(kShown, plan.equal_sets.size());
  std::string text = fmt::format(
      "equal: {} of {} parameter sets have the effect of another and are not run (equal_settings: "
      "keep runs them):\n",
      plan.equal_sets.size(), plan.equal_sets.size() + plan.param_sets.size());
  for (size_t i = 0; i < shown; ++i) text += EqualSetText(plan, plan.equal_sets[i]);
  if (shown < plan.equal_sets.size()) {
    text += fmt::format("  and {} more: --list\n", plan.equal_sets.size() - shown);
  }
  return text;
}

size_t ArmWidth(Arm arm) { return ArmName(arm).size(); }

std::string LabSeedText(const ScheduledTrial& trial) {
  return trial.lab_seed ? fmt::format("lab seed {}  ", *trial.lab_seed) : "";
}

std::string TrialLines(const Plan& plan, const RemainingWork& work) {
  std::string text;
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

// The summary last, where it stays on the screen.
std::string ToText(const Plan& plan, const DryRun& dry_run, bool list) {
  std::string text = list ? TrialLines(plan, dry_run.work) : "";
  for (const std::string& note : dry_run.work.notes) text += fmt::format("note: {}\n", note);
  text += EqualSetsNote(plan, list) + Summary(plan, dry_run);
  return list ? text : text + "each trial in its order: --list\n";
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
                                 {"equal_settings_left_out", plan.equal_sets},
                                 {"notes", dry_run.work.notes},
                                 {"trials", trials}};
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string DescribeDryRun(const Plan& plan, const RemainingWork& work, DryRunForm form) {
  const DryRun dry_run = MakeDryRun(plan, work);
  return form == DryRunForm::kJson ? ToJsonText(plan, dry_run)
                                   : ToText(plan, dry_run, form == DryRunForm::kTextWithTrials);
}

}  // namespace plectl::experiment
