// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/self_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "host_tools/base/text.h"
#include "host_tools/experiment/json_fields.h"

namespace plectl::lab {
namespace {

using experiment::TrialRecord;

constexpr uint64_t kLoopTurns = 12'000;
// 12 million TSC cycles: 15 timer ticks. With interrupts off a spin of nops leaves the guest for
// nothing else.
constexpr uint64_t kInterruptsOffTurns = 4'000'000;
constexpr uint64_t kTimerExitsMin = 8;

// Parameter names of the vendor's module, in the roles that the probes give them.
struct ParamNames {
  std::string_view gap;
  std::string_view window;
  std::string_view grow;
};
constexpr ParamNames kIntelNames{"ple_gap", "ple_window", "ple_window_grow"};
constexpr ParamNames kAmdNames{"pause_filter_thresh", "pause_filter_count",
                               "pause_filter_count_grow"};

const ParamNames& NamesOf(LabCpu cpu) { return cpu == LabCpu::kIntel ? kIntelNames : kAmdNames; }

std::string LoopPlan(std::string_view name, LabCpu cpu, std::string_view gaps,
                     std::string_view windows) {
  const ParamNames& names = NamesOf(cpu);
  return fmt::format(
      "name: {}\narms: [pause]\nparams: {{{}: {}, {}: {}, {}: 0}}\n"
      "workloads: [{{payload: pause_loop, vcpus: 1, cpus: 0, iterations: {}}}]\n",
      name, names.gap, gaps, names.window, windows, names.grow, kLoopTurns);
}

std::string InterruptsOffPlan() {
  return fmt::format(
      "name: interrupts-off\narms: [nop]\nworkloads: [{{payload: pause_loop, vcpus: 1, cpus: 0, "
      "iterations: {}, interrupts_off: locking}}]\n",
      kInterruptsOffTurns);
}

// The first plan says whether PAUSE exits are off; then the others may be refused. Their observers
// are perf's: quicker to attach, and the totals are enough.
constexpr std::string_view kScript =
    "for plan in interrupts-off gaps windows; do\n"
    "  plectl sweep /job/$plan.yaml --out /job/$plan --progress none --observer perf 2>/job/err "
    "||\n"
    "    { test $plan != interrupts-off || { cat /job/err >&2; exit 5; }; }\n"
    "  test ! -e /job/$plan/run.jsonl || cat /job/$plan/run.jsonl\n"
    "done\n";

LabJob ProbeJob(LabCpu cpu) {
  LabJob job;
  job.argv = {"sh", "/job/probe.sh"};
  job.files = {{"/job/probe.sh", std::string(kScript)},
               {"/job/interrupts-off.yaml", InterruptsOffPlan()},
               {"/job/gaps.yaml", LoopPlan("gaps", cpu, "[1, 2, 3, 4, 5, 6, 8, 16, 128]", "4096")},
               {"/job/windows.yaml", LoopPlan("windows", cpu, "128", "[9, 1000]")}};
  return job;
}

// Keeps what the probes print.
class Collector final : public LabObserver {
 public:
  explicit Collector(LabObserver& observer) : observer_(observer) {}
  void OnProgress(std::string_view text) override { observer_.OnProgress(text); }
  Status OnStdout(std::string_view bytes) override {
    constexpr size_t kLimit = size_t{4} << 20;
    out_ += bytes;
    return out_.size() > kLimit ? Status(Inconclusive("the lab's self-test talks without end"))
                                : OkStatus();
  }
  Status OnStderr(std::string_view bytes) override {
    err_ += bytes.substr(0, 4096);
    return OkStatus();
  }
  [[nodiscard]] const std::string& out() const { return out_; }
  [[nodiscard]] const std::string& err() const { return err_; }

 private:
  LabObserver& observer_;
  std::string out_;
  std::string err_;
};

// What one run of the probes printed, and how long the emulator took for it.
struct ProbeRun {
  std::string out;
  std::optional<uint64_t> instructions;
  friend bool operator==(const ProbeRun&, const ProbeRun&) = default;
};

Result<ProbeRun> RunProbes(const LabOptions& options, LabObserver& observer) {
  Collector collector(observer);
  PLECTL_ASSIGN_OR_RETURN(const LabOutcome outcome,
                          RunInLab(options, ProbeJob(options.cpu), collector));
  if (outcome.exit_code == 0) return ProbeRun{collector.out(), outcome.emulated_instructions};
  return Inconclusive(fmt::format("the lab's self-test failed with exit code {}: {}",
                                  outcome.exit_code, TrimRight(collector.err())),
                      "run `plectl lab boot --console` to see whether the emulator works at all");
}

Result<std::vector<TrialRecord>> ParseTrials(std::string_view text) {
  std::vector<TrialRecord> trials;
  for (const std::string_view line : Split(TrimRight(text), '\n')) {
    PLECTL_ASSIGN_OR_RETURN(const nlohmann::json json, experiment::ParseJsonObject(line));
    if (json.value("kind", "") != "trial") continue;
    PLECTL_ASSIGN_OR_RETURN(TrialRecord trial, experiment::TrialFromJson(json));
    if (trial.valid()) trials.push_back(std::move(trial));
  }
  return trials;
}

// Two runs that must be equal. A booted lab and a resumed one are not, and on a busy machine a
// snapshot that could not be made for the first may be there for the second.
Result<std::array<ProbeRun, 2>> RunProbesTwice(const LabOptions& options, LabObserver& observer) {
  PLECTL_ASSIGN_OR_RETURN(ProbeRun first, RunProbes(options, observer));
  PLECTL_ASSIGN_OR_RETURN(ProbeRun second, RunProbes(options, observer));
  if (StartOf(first.out) != StartOf(second.out)) {
    first = std::exchange(second, ProbeRun{});
    PLECTL_ASSIGN_OR_RETURN(second, RunProbes(options, observer));
  }
  if (StartOf(first.out) != StartOf(second.out)) {
    return Inconclusive("the lab's self-test could not start the lab twice in the same way",
                        "try again when this machine is less busy");
  }
  return std::array{std::move(first), std::move(second)};
}

uint64_t ParamOf(const TrialRecord& trial, std::string_view name) {
  const auto found = trial.params.find(std::string(name));
  return found == trial.params.end() ? 0 : ParseUint(found->second).value_or(0);
}

// The plan "gaps" or "windows", not the one with interrupts off.
bool IsLoopTrial(const TrialRecord& trial) { return trial.arm == experiment::Arm::kPause; }

bool FollowsFormula(LabCpu cpu, const TrialRecord& trial) {
  const uint64_t window = ParamOf(trial, NamesOf(cpu).window);
  // The first PAUSE after an entry only begins the loop: Intel's by definition, AMD's since it
  // comes more than the threshold after the last one and loads the count anew.
  const uint64_t turns_per_exit =
      cpu == LabCpu::kIntel ? window / kProbeLoopTscCycles + 2 : window + 2;
  const auto expected = static_cast<int64_t>(kLoopTurns / turns_per_exit);
  const auto exits = static_cast<int64_t>(trial.pause_exits.value());
  // Any other exit starts the loop anew, which delays the next PAUSE exit.
  const auto others = static_cast<int64_t>(trial.kvm_exits_total.value()) - exits;
  return std::abs(exits - expected) <= std::max<int64_t>(others, 1);
}

bool HasCounts(const TrialRecord& trial) {
  return trial.pause_exits.has_value() && trial.kvm_exits_total.has_value();
}

uint64_t FirstGap(LabCpu cpu, std::span<const TrialRecord> trials) {
  uint64_t first = 0;
  for (const TrialRecord& trial : trials) {
    const uint64_t gap = ParamOf(trial, NamesOf(cpu).gap);
    if (IsLoopTrial(trial) && trial.pause_exits.value() > 0 && (first == 0 || gap < first)) {
      first = gap;
    }
  }
  return first;
}

// Where the facts of an engine are kept.
struct EnginePlace {
  EngineFactsStore store;
  std::string id;
};

Result<EnginePlace> PlaceOf(const LabOptions& options, LabObserver& observer) {
  const auto progress = [&](std::string_view text) { observer.OnProgress(text); };
  PLECTL_ASSIGN_OR_RETURN(std::string id, EngineId(options, progress));
  PLECTL_ASSIGN_OR_RETURN(const std::filesystem::path directory, LabDirectory(options));
  return EnginePlace{EngineFactsStore(directory), std::move(id)};
}

}  // namespace

std::string StartOf(std::string_view log) {
  const nlohmann::json manifest =
      nlohmann::json::parse(log.substr(0, log.find('\n')), nullptr, false);
  const nlohmann::json::json_pointer start("/host/lab/seed_start");
  if (!manifest.contains(start) || !manifest.at(start).is_string()) return {};
  return manifest.at(start).get<std::string>();
}

EngineLane LaneOf(const LabOptions& options) { return {options.cpu, CpusOf(options) > 1}; }

Result<EngineFacts> FactsFromTrials(LabCpu cpu, std::span<const TrialRecord> trials) {
  const auto off = std::ranges::find_if_not(trials, IsLoopTrial);
  if (off == trials.end() || !std::ranges::all_of(trials, HasCounts)) {
    return Inconclusive("the lab's self-test lacks trials or counts");
  }
  EngineFacts facts;
  facts.interrupts_when_off = off->kvm_exits_total.value() >= kTimerExitsMin;
  facts.ple_off_because = off->ple_off_because;
  if (!facts.ple_off_because.empty()) return facts;
  if (std::ranges::none_of(trials, IsLoopTrial)) {
    return Inconclusive("the lab's self-test lacks the trials with PAUSE");
  }
  facts.first_gap_tsc_cycles = FirstGap(cpu, trials);
  const auto fits = [&](const TrialRecord& trial) {
    const uint64_t gap = ParamOf(trial, NamesOf(cpu).gap);
    if (!IsLoopTrial(trial)) return true;
    return gap < kProbeLoopTscCycles ? trial.pause_exits.value() == 0 : FollowsFormula(cpu, trial);
  };
  facts.closed_form = std::ranges::all_of(trials, fits);
  return facts;
}

Result<EngineFacts> ProbeEngine(const LabOptions& options, LabObserver& observer) {
  LabOptions probe = options;
  probe.profile.reset();
  probe.seed = 0;
  probe.disk.clear();
  probe.kernel_arguments.clear();
  probe.cpus = LaneOf(options).smp ? 2 : 1;
  observer.OnProgress(
      fmt::format("testing the emulator ({}), once per version", LaneOf(options).name()));
  PLECTL_ASSIGN_OR_RETURN(const auto runs, RunProbesTwice(probe, observer));
  PLECTL_ASSIGN_OR_RETURN(const std::vector<TrialRecord> trials, ParseTrials(runs.front().out));
  PLECTL_ASSIGN_OR_RETURN(EngineFacts facts, FactsFromTrials(options.cpu, trials));
  facts.repeatable = runs.front() == runs.back();
  PLECTL_ASSIGN_OR_RETURN(const EnginePlace place, PlaceOf(options, observer));
  PLECTL_RETURN_IF_ERROR(place.store.Save(place.id, LaneOf(options), facts));
  return facts;
}

Result<EngineFacts> EnsureEngineFacts(const LabOptions& options, LabObserver& observer) {
  PLECTL_ASSIGN_OR_RETURN(const EnginePlace place, PlaceOf(options, observer));
  if (auto facts = place.store.Find(place.id, LaneOf(options))) return *facts;
  return ProbeEngine(options, observer);
}

}  // namespace plectl::lab
