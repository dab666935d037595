// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/plan_workloads.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "host_tools/experiment/plan_product.h"
#include "host_tools/experiment/plan_values.h"
#include "host_tools/experiment/workload_json.h"
#include "host_tools/guests/workload_check.h"

namespace plectl::experiment {
namespace {

using guests::Workload;

constexpr uint64_t kCpuMax =
    CPU_SETSIZE - 1;  // what sched_setaffinity(2) takes without a bigger set
constexpr uint64_t kCyclesMax = 1'000'000'000'000;
// Of what goes on for a time: 160 ms at 2.5 GHz, so that vCPUs that share a CPU meet many times,
// however fast it is. A time slice is 3 ms by EEVDF, up to 12 ms by CFS on many CPUs.
constexpr uint64_t kDurationDefaultTscCycles = 400'000'000;
// Of the others, which need nobody else.
constexpr uint64_t kIterationsDefault = 20'000;

// The numbers of a workload: key, allowed range and where it goes.
struct UintField {
  std::string_view key;
  UintRange range;
  void (*set)(Workload& workload, uint64_t value);
};

constexpr std::array kUintFields = {
    UintField{"vms", {1, 64}, [](Workload& w, uint64_t v) { w.vms = static_cast<uint32_t>(v); }},
    UintField{
        "vcpus", {1, 64}, [](Workload& w, uint64_t v) { w.vcpus = static_cast<uint32_t>(v); }},
    UintField{
        "hold_tsc_cycles", {0, kCyclesMax}, [](Workload& w, uint64_t v) { w.hold_tsc_cycles = v; }},
    UintField{"think_tsc_cycles",
              {0, kCyclesMax},
              [](Workload& w, uint64_t v) { w.think_tsc_cycles = v; }},
    UintField{"iterations", {1, kCyclesMax}, [](Workload& w, uint64_t v) { w.iterations = v; }},
    UintField{"duration_tsc_cycles",
              {1, kCyclesMax},
              [](Workload& w, uint64_t v) { w.duration_tsc_cycles = v; }},
    UintField{"body_loops", {0, kCyclesMax}, [](Workload& w, uint64_t v) { w.body_loops = v; }},
    UintField{"random_seed", {}, [](Workload& w, uint64_t v) { w.random_seed = v; }},
    UintField{"relax_repeat",
              {1, PLECTL_RELAX_REPEAT_MAX},
              [](Workload& w, uint64_t v) { w.relax_repeat = static_cast<uint32_t>(v); }},
};

// The words of a workload: key, what they are and where they go.
struct DistributionField {
  std::string_view key;
  guests::Distribution Workload::*member;
};
constexpr std::array kDistributionFields = {
    DistributionField{"hold_distribution", &Workload::hold_distribution},
    DistributionField{"think_distribution", &Workload::think_distribution},
};

constexpr std::array<std::string_view, 15> kKeys = {"payload",
                                                    "vms",
                                                    "vcpus",
                                                    "cpus",
                                                    "hold_tsc_cycles",
                                                    "think_tsc_cycles",
                                                    "iterations",
                                                    "body_loops",
                                                    "scheduling",
                                                    "interrupts_off",
                                                    "duration_tsc_cycles",
                                                    "hold_distribution",
                                                    "think_distribution",
                                                    "random_seed",
                                                    "relax_repeat"};

// One value of an axis: what it does to a workload.
using Setter = std::function<void(Workload&)>;
using Axis = std::vector<Placed<Setter>>;

Result<Axis> ReadPayloads(const YamlNode& node, const guests::PayloadImage& payloads) {
  const std::vector<std::string_view> known = guests::PayloadNames(payloads);
  PLECTL_ASSIGN_OR_RETURN(const auto names, ReadWordAxis(node, "payload", known));
  Axis axis;
  for (const Placed<std::string>& name : names) {
    axis.push_back({[name](Workload& workload) { workload.payload = name.value; }, name.place});
  }
  return axis;
}

Result<Axis> ReadScheduling(const YamlNode& node) {
  constexpr std::array<std::string_view, 2> kKnown = {"other", "fifo"};
  PLECTL_ASSIGN_OR_RETURN(const auto names, ReadWordAxis(node, "scheduling", kKnown));
  Axis axis;
  for (const Placed<std::string>& name : names) {
    const auto scheduling =
        name.value == "fifo" ? guests::VcpuScheduling::kFifo : guests::VcpuScheduling::kOther;
    axis.push_back(
        {[scheduling](Workload& workload) { workload.scheduling = scheduling; }, name.place});
  }
  return axis;
}

Result<Axis> ReadInterruptsOff(const YamlNode& node) {
  using guests::InterruptsOff;
  constexpr std::array kWords = {InterruptsOff::kNever, InterruptsOff::kHolding,
                                 InterruptsOff::kLocking};
  std::array<std::string_view, kWords.size()> known;
  std::ranges::transform(kWords, known.begin(), InterruptsOffName);
  PLECTL_ASSIGN_OR_RETURN(const auto names, ReadWordAxis(node, "interrupts_off", known));
  Axis axis;
  for (const Placed<std::string>& name : names) {
    const InterruptsOff word = *std::ranges::find(kWords, name.value, InterruptsOffName);
    axis.push_back({[word](Workload& workload) { workload.interrupts_off = word; }, name.place});
  }
  return axis;
}

Result<Axis> ReadDistributions(const DistributionField& field, const YamlNode& node) {
  using guests::Distribution;
  constexpr std::array kWords = {Distribution::kFixed, Distribution::kExponential};
  std::array<std::string_view, kWords.size()> known;
  std::ranges::transform(kWords, known.begin(), DistributionName);
  PLECTL_ASSIGN_OR_RETURN(const auto names, ReadWordAxis(node, field.key, known));
  Axis axis;
  for (const Placed<std::string>& name : names) {
    const Distribution word = *std::ranges::find(kWords, name.value, DistributionName);
    axis.push_back({[member = field.member, word](Workload& workload) { workload.*member = word; },
                    name.place});
  }
  return axis;
}

Result<Axis> ReadUints(const UintField& field, const YamlNode& node) {
  PLECTL_ASSIGN_OR_RETURN(const auto values, ReadUintAxis(node, field.key, field.range));
  Axis axis;
  for (const Placed<uint64_t>& value : values) {
    axis.push_back(
        {[&field, value](Workload& workload) { field.set(workload, value.value); }, value.place});
  }
  return axis;
}

// One set of host CPUs: a number or a list of numbers.
Result<std::vector<int>> ReadCpuSet(const YamlNode& node) {
  PLECTL_ASSIGN_OR_RETURN(const auto items, AxisItems(node, "cpus"));
  std::vector<int> cpus;
  for (const YamlNode* item : items) {
    PLECTL_ASSIGN_OR_RETURN(const uint64_t cpu, ReadUint(*item, "cpus", {0, kCpuMax}));
    if (std::ranges::find(cpus, static_cast<int>(cpu)) != cpus.end()) {
      return FailAt(item->place, fmt::format("cpus names the CPU {} twice", cpu));
    }
    cpus.push_back(static_cast<int>(cpu));
  }
  return cpus;
}

// `cpus` is one set unless its items are lists: then each of them is a set.
Result<Axis> ReadCpus(const YamlNode& node) {
  const bool is_axis = node.kind == YamlKind::kList && !node.values.empty() &&
                       node.values.front().kind == YamlKind::kList;
  std::vector<const YamlNode*> sets = {&node};
  if (is_axis) {
    PLECTL_ASSIGN_OR_RETURN(sets, AxisItems(node, "cpus"));
  }
  Axis axis;
  for (const YamlNode* set : sets) {
    PLECTL_ASSIGN_OR_RETURN(const std::vector<int> cpus, ReadCpuSet(*set));
    axis.push_back({[cpus](Workload& workload) { workload.cpus = cpus; }, set->place});
  }
  return axis;
}

Result<Axis> ReadAxis(std::string_view key, const YamlNode& node,
                      const guests::PayloadImage& payloads) {
  if (key == "payload") return ReadPayloads(node, payloads);
  if (key == "cpus") return ReadCpus(node);
  if (key == "scheduling") return ReadScheduling(node);
  if (key == "interrupts_off") return ReadInterruptsOff(node);
  const auto words = std::ranges::find(kDistributionFields, key, &DistributionField::key);
  if (words != kDistributionFields.end()) return ReadDistributions(*words, node);
  const auto field = std::ranges::find(kUintFields, key, &UintField::key);
  return ReadUints(*field, node);
}

Status CheckKeysTogether(const YamlNode& entry) {
  for (const std::string_view key : {"payload", "cpus"}) {
    if (entry.Find(key) == nullptr) {
      return FailAt(entry.place, fmt::format("the workload needs the key \"{}\"", key));
    }
  }
  const YamlNode* duration = entry.Find("duration_tsc_cycles");
  if (duration == nullptr || entry.Find("iterations") == nullptr) return OkStatus();
  return FailAt(duration->place, "duration_tsc_cycles and iterations exclude each other",
                "give how long each vCPU goes on, or how often");
}

// Where to point when a workload as a whole is refused: the key that the refusal starts with, else
// `vcpus`, since too few of them is the usual reason.
YamlPlace PlaceToBlame(const YamlNode& entry, std::string_view refusal) {
  for (size_t i = 0; i < entry.keys.size(); ++i) {
    if (refusal.starts_with(entry.keys[i].text + " is ")) return entry.values[i].place;
  }
  const YamlNode* vcpus = entry.Find("vcpus");
  return (vcpus != nullptr ? vcpus : entry.Find("payload"))->place;
}

bool TakesDuration(const guests::PayloadImage& payloads, const std::string& name) {
  const auto payload = std::ranges::find(payloads.payloads(), name, &guests::PayloadInfo::name);
  return payload != payloads.payloads().end() && payload->takes_duration;
}

Workload Combine(const std::vector<Axis>& axes, const std::vector<size_t>& combination,
                 const guests::PayloadImage& payloads) {
  Workload workload;
  workload.iterations = 0;
  for (size_t i = 0; i < axes.size(); ++i) axes[i][combination[i]].value(workload);
  if (workload.iterations == 0 && workload.duration_tsc_cycles == 0) {
    const bool takes_duration = TakesDuration(payloads, workload.payload);
    (takes_duration ? workload.duration_tsc_cycles : workload.iterations) =
        takes_duration ? kDurationDefaultTscCycles : kIterationsDefault;
  }
  return workload;
}

Result<std::vector<Workload>> ReadEntry(const YamlNode& entry,
                                        const guests::PayloadImage& payloads) {
  PLECTL_RETURN_IF_ERROR(CheckMap(entry, "a workload", kKeys));
  PLECTL_RETURN_IF_ERROR(CheckKeysTogether(entry));
  std::vector<Axis> axes;
  std::vector<uint64_t> sizes;
  for (size_t i = 0; i < entry.keys.size(); ++i) {
    PLECTL_ASSIGN_OR_RETURN(Axis axis, ReadAxis(entry.keys[i].text, entry.values[i], payloads));
    sizes.push_back(axis.size());
    axes.push_back(std::move(axis));
  }
  if (!BoundedProduct(sizes, kTrialsMax)) {
    return FailAt(entry.place, fmt::format("a workload: more than {} combinations", kTrialsMax));
  }
  std::vector<Workload> workloads;
  for (const std::vector<size_t>& combination : Combinations(sizes)) {
    workloads.push_back(Combine(axes, combination, payloads));
    if (const auto fine = guests::CheckWorkload(payloads, workloads.back()); !fine) {
      return FailAt(PlaceToBlame(entry, fine.error().message), fine.error().message,
                    fine.error().hint);
    }
  }
  return workloads;
}

// All workloads so far, each with its JSON as the key that tells equal ones.
class DistinctWorkloads {
 public:
  Status Add(std::vector<Workload> more, const YamlPlace& place) {
    for (Workload& workload : more) {
      const auto [seen, is_new] = lines_.emplace(ToJson(workload).dump(), place.line);
      if (!is_new) {
        return FailAt(place, fmt::format("the workload {} is already in the entry in line {}",
                                         seen->first, seen->second));
      }
      workloads_.push_back(std::move(workload));
    }
    if (workloads_.size() <= kTrialsMax) return OkStatus();
    return FailAt(place, fmt::format("workloads: more than {} combinations", kTrialsMax));
  }
  std::vector<Workload> Take() { return std::move(workloads_); }

 private:
  std::vector<Workload> workloads_;
  std::map<std::string, int> lines_;
};

}  // namespace

Result<std::vector<Workload>> ReadWorkloads(const YamlNode& workloads,
                                            const guests::PayloadImage& payloads) {
  if (workloads.kind != YamlKind::kList || workloads.values.empty()) {
    return FailAt(workloads.place, "workloads: expected a list of at least one workload");
  }
  DistinctWorkloads all;
  for (const YamlNode& entry : workloads.values) {
    PLECTL_ASSIGN_OR_RETURN(std::vector<Workload> more, ReadEntry(entry, payloads));
    PLECTL_RETURN_IF_ERROR(all.Add(std::move(more), entry.place));
  }
  return all.Take();
}

}  // namespace plectl::experiment
