// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/trial_record.h"

#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "host_tools/base/text.h"
#include "host_tools/experiment/contention_json.h"
#include "host_tools/experiment/exit_times_json.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/experiment/noise_json.h"
#include "host_tools/experiment/observed_json.h"
#include "host_tools/experiment/statistics_json.h"
#include "host_tools/experiment/vcpu_json.h"
#include "host_tools/experiment/vms_json.h"
#include "host_tools/experiment/waits_json.h"
#include "host_tools/experiment/workload_json.h"

namespace plectl::experiment {
namespace {

using nlohmann::json;

// Keeps sums of times far from overflow.
constexpr int64_t kTimeMaxNs = 1'000'000'000'000'000;
constexpr std::string_view kNoGuestResult = "the guest gave no result";

// Every Count of a record with its key: one table drives writing and reading.
struct CountField {
  std::string_view key;
  Count TrialRecord::*member;
};
constexpr CountField kCounts[] = {
    {"pause_exits", &TrialRecord::pause_exits},
    {"pause_exits_check", &TrialRecord::pause_exits_check},
    {"exits_total", &TrialRecord::exits_total},
    {"kvm_exits_total", &TrialRecord::kvm_exits_total},
    {"window_updates", &TrialRecord::window_updates},
    {"window_growths", &TrialRecord::window_growths},
    {"window_shrinks", &TrialRecord::window_shrinks},
};

struct TimingField {
  std::string_view key;
  int64_t TrialTimings::*member;
};
constexpr TimingField kTimings[] = {
    {"params_ns", &TrialTimings::params_ns}, {"setup_ns", &TrialTimings::setup_ns},
    {"run_ns", &TrialTimings::run_ns},       {"teardown_ns", &TrialTimings::teardown_ns},
    {"own_ns", &TrialTimings::own_ns},
};

json Missing(std::string_view because) { return {{"missing_because", because}}; }

// Numbers as numbers; whatever else a parameter can be ("Y") as text, so that it comes back
// unchanged.
json ParamsToJson(const host::ParamValues& params) {
  json object = json::object();
  for (const auto& [name, text] : params) {
    const std::optional<uint64_t> number = ParseUint(text);
    if (number && std::to_string(*number) == text) {
      object[name] = *number;
    } else {
      object[name] = text;
    }
  }
  return object;
}

Result<host::ParamValues> ParamsFromJson(const JsonFields& trial) {
  PLECTL_ASSIGN_OR_RETURN(const JsonValue object, trial.Any("params"));
  PLECTL_ASSIGN_OR_RETURN(const JsonFields params, trial.Object("params"));
  host::ParamValues values;
  Status read = OkStatus();
  object.EachMember([&](std::string_view name, const JsonValue& value) {
    if (const std::optional<std::string_view> text = value.AsText()) {
      values.emplace(name, *text);
    } else if (const std::optional<uint64_t> number = value.AsUint()) {
      values.emplace(name, std::to_string(*number));
    } else {
      read = Fail(params.Uint(name).error());
    }
    return read.has_value();
  });
  PLECTL_RETURN_IF_ERROR(std::move(read));
  return values;
}

json ExitsToJson(const TrialRecord& record) {
  return record.exits_missing_because.empty() ? json(record.exits)
                                              : Missing(record.exits_missing_because);
}

Keep KeepIf(bool condition) { return condition ? Keep::kYes : Keep::kNo; }

// A reason can only be a text and an exit count only a number, so the two forms differ.
Status ReadExits(const JsonFields& trial, TrialParts parts, TrialRecord& record) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields exits, trial.Object("exits"));
  if (exits.Has("missing_because")) {
    PLECTL_ASSIGN_OR_RETURN(record.exits_missing_because, exits.Text("missing_because"));
    return OkStatus();
  }
  PLECTL_ASSIGN_OR_RETURN(record.exits,
                          trial.UintMap("exits", KeepIf(parts != TrialParts::kFigures)));
  return OkStatus();
}

// What is known of all of its vCPUs or VMs together, beyond counts.
void AddTrialTotals(const TrialRecord& record, json& object) {
  ExitTimesByReason exit_times;
  for (const host::VcpuCounts& vcpu : record.observed) {
    if (!vcpu.exit_times) continue;
    for (const auto& [reason, times] : *vcpu.exit_times) exit_times[reason].Add(times);
  }
  if (!exit_times.empty()) object["exit_times"] = ToJson(exit_times);
  if (record.pause_sites) object["pause_rips"] = ToJson(*record.pause_sites);
  if (!record.energy_uj.empty()) object["energy_uj"] = ToJson(record.energy_uj);
}

// What the guest itself measured. A trial without vCPU results has none of it.
void WriteGuestResult(const TrialRecord& record, json& object) {
  const bool measured = !record.vcpus.empty();
  object["throughput_per_s"] =
      measured ? FiniteToJson(record.throughput_per_s) : Missing(kNoGuestResult);
  object["tsc_khz"] = measured ? json(record.tsc_khz) : Missing(kNoGuestResult);
  object["elapsed_tsc_cycles"] =
      measured ? json(record.elapsed_tsc_cycles) : Missing(kNoGuestResult);
  object["vcpus"] = VcpusToJson(record.vcpus);
  if (record.fairness_jain) object["fairness_jain"] = FiniteToJson(*record.fairness_jain);
  if (record.waits) object["wait_tsc_cycles"] = ToJson(*record.waits);
  if (record.contention) object["contention"] = ToJson(*record.contention);
  if (!record.not_contended_because.empty()) {
    object["not_contended_because"] = record.not_contended_because;
  }
  if (!record.vms.empty()) object["vms"] = VmsToJson(record.vms);
  ObservedToJson(record.observed, object["vcpus"]);
  AddTrialTotals(record, object);
}

Status ReadGuestResult(const JsonFields& trial, Keep keep_details, TrialRecord& record) {
  PLECTL_ASSIGN_OR_RETURN(record.vcpus, VcpusFromJson(trial, keep_details));
  PLECTL_ASSIGN_OR_RETURN(record.observed, ObservedFromJson(trial, keep_details));
  if (trial.Has("energy_uj")) {
    PLECTL_ASSIGN_OR_RETURN(record.energy_uj, trial.CountMap("energy_uj"));
  }
  if (trial.Has("pause_rips")) {
    PLECTL_ASSIGN_OR_RETURN(record.pause_sites, PauseSitesFromJson(trial, "pause_rips"));
  }
  if (record.vcpus.empty()) return OkStatus();
  if (!trial.Has("throughput_per_s")) return trial.Wrong("throughput_per_s", "a number");
  PLECTL_ASSIGN_OR_RETURN(const auto throughput, trial.NumberIfKnown("throughput_per_s"));
  record.throughput_per_s = throughput.value_or(std::numeric_limits<double>::quiet_NaN());
  PLECTL_ASSIGN_OR_RETURN(record.tsc_khz, trial.Uint("tsc_khz"));
  PLECTL_ASSIGN_OR_RETURN(record.elapsed_tsc_cycles, trial.Uint("elapsed_tsc_cycles"));
  PLECTL_ASSIGN_OR_RETURN(record.fairness_jain, trial.NumberIfKnown("fairness_jain", 1));
  PLECTL_ASSIGN_OR_RETURN(record.waits, WaitSummaryFromJson(trial));
  PLECTL_ASSIGN_OR_RETURN(record.contention, ContentionFromJson(trial));
  PLECTL_ASSIGN_OR_RETURN(record.not_contended_because, trial.TextOrEmpty("not_contended_because"));
  PLECTL_ASSIGN_OR_RETURN(record.vms, VmsFromJson(trial, keep_details));
  return OkStatus();
}

json TimingsToJson(const TrialTimings& timings) {
  json object;
  for (const TimingField& field : kTimings) object[field.key] = timings.*field.member;
  if (timings.reloads) object["reloads"] = *timings.reloads;
  return object;
}

Status ReadTimings(const JsonFields& trial, TrialTimings& timings) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields object, trial.Object("timings"));
  for (const TimingField& field : kTimings) {
    PLECTL_ASSIGN_OR_RETURN(const int64_t time_ns, object.Int(field.key));
    if (std::abs(time_ns) > kTimeMaxNs) return object.Wrong(field.key, "less than 11 days");
    timings.*field.member = time_ns;
  }
  if (object.Has("reloads")) {
    PLECTL_ASSIGN_OR_RETURN(timings.reloads, object.Uint("reloads"));
  }
  return OkStatus();
}

Result<Arm> ReadArm(const JsonFields& trial) {
  PLECTL_ASSIGN_OR_RETURN(const std::string name, trial.Text("arm"));
  if (const std::optional<Arm> arm = ArmFromName(name)) return *arm;
  return trial.Wrong("arm", "\"pause\", \"nop\" or \"pause_exits_disabled\"");
}

// Absent from runs of plans without lab_seeds.
Status ReadLabSeed(const JsonFields& trial, TrialRecord& record) {
  if (!trial.Has("lab_seed")) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(record.lab_seed, trial.Uint("lab_seed", kLabSeedMax));
  return OkStatus();
}

Status ReadIdentity(const JsonFields& trial, TrialRecord& record) {
  PLECTL_ASSIGN_OR_RETURN(record.id, trial.Text("id"));
  if (record.id.empty()) return trial.Wrong("id", "a text that is not empty");
  PLECTL_RETURN_IF_ERROR(ReadLabSeed(trial, record));
  PLECTL_ASSIGN_OR_RETURN(const uint64_t block, trial.Uint("block", UINT32_MAX));
  PLECTL_ASSIGN_OR_RETURN(const uint64_t attempt, trial.Uint("attempt", UINT32_MAX));
  record.block = static_cast<uint32_t>(block);
  record.attempt = static_cast<uint32_t>(attempt);
  PLECTL_ASSIGN_OR_RETURN(record.arm, ReadArm(trial));
  PLECTL_ASSIGN_OR_RETURN(record.params, ParamsFromJson(trial));
  PLECTL_ASSIGN_OR_RETURN(const JsonValue workload, trial.Any("workload"));
  PLECTL_ASSIGN_OR_RETURN(record.workload, WorkloadFromJson(workload));
  return OkStatus();
}

// Absent from records of plectl before it watched the noise.
Status ReadNoise(const JsonFields& trial, Keep keep, TrialRecord& record) {
  if (trial.Has("noise") && keep == Keep::kNo) PLECTL_RETURN_IF_ERROR(CheckNoise(trial));
  if (trial.Has("noise") && keep == Keep::kYes) {
    PLECTL_ASSIGN_OR_RETURN(record.noise, NoiseFromJson(trial));
  }
  PLECTL_ASSIGN_OR_RETURN(record.disturbed_because, trial.TextOrEmpty("disturbed_because"));
  return OkStatus();
}

// "valid" repeats what "invalid_because" says, for readers that only filter.
Status ReadValidity(const JsonFields& trial, TrialRecord& record) {
  PLECTL_ASSIGN_OR_RETURN(const bool valid, trial.Bool("valid"));
  PLECTL_ASSIGN_OR_RETURN(record.invalid_because, trial.TextOrEmpty("invalid_because"));
  if (valid != record.valid()) {
    return trial.Wrong("invalid_because", valid ? "nothing in a valid trial" : "a reason");
  }
  if (valid && record.vcpus.empty()) return trial.Wrong("vcpus", "results in a valid trial");
  return OkStatus();
}

}  // namespace

void LeaveTotals(TrialRecord& trial) {
  for (guests::VcpuResult& vcpu : trial.vcpus) {
    vcpu.wait_histogram = {};
    vcpu.kvm_stats = {};
    vcpu.kvm_exits = Count::Missing("left out");
    vcpu.run_delay_ns = Count::Missing("left out");
    vcpu.guest_ns = Count::Missing("left out");
  }
  trial.vms = {};
  trial.observed = {};
  trial.pause_sites.reset();
  trial.energy_uj = {};
  trial.noise.reset();
}

json ToJson(const TrialRecord& record) {
  json object = {{"kind", "trial"},
                 {"id", record.id},
                 {"block", record.block},
                 {"attempt", record.attempt},
                 {"arm", ArmName(record.arm)},
                 {"params", ParamsToJson(record.params)},
                 {"workload", ToJson(record.workload)},
                 {"exits", ExitsToJson(record)},
                 {"timings", TimingsToJson(record.timings)},
                 {"valid", record.valid()}};
  if (record.lab_seed) object["lab_seed"] = *record.lab_seed;
  for (const CountField& field : kCounts) object[field.key] = ToJson(record.*field.member);
  WriteGuestResult(record, object);
  if (!record.ple_off_because.empty()) object["ple_off_because"] = record.ple_off_because;
  if (record.noise) object["noise"] = NoiseToJson(*record.noise);
  if (!record.disturbed_because.empty()) object["disturbed_because"] = record.disturbed_because;
  if (!record.valid()) object["invalid_because"] = record.invalid_because;
  return object;
}

Result<TrialRecord> TrialFromJson(const json& json) { return TrialFromJson(JsonValue(json)); }

Result<TrialRecord> TrialFromJson(const JsonValue& json, TrialParts parts) {
  const Keep keep_details = KeepIf(parts == TrialParts::kAll);
  PLECTL_ASSIGN_OR_RETURN(const JsonFields trial, JsonFields::Of(json, "trial"));
  TrialRecord record;
  PLECTL_RETURN_IF_ERROR(ReadIdentity(trial, record));
  for (const CountField& field : kCounts) {
    PLECTL_ASSIGN_OR_RETURN(record.*field.member, trial.CountOf(field.key));
  }
  PLECTL_RETURN_IF_ERROR(ReadExits(trial, parts, record));
  PLECTL_RETURN_IF_ERROR(ReadGuestResult(trial, keep_details, record));
  PLECTL_RETURN_IF_ERROR(ReadTimings(trial, record.timings));
  PLECTL_ASSIGN_OR_RETURN(record.ple_off_because, trial.TextOrEmpty("ple_off_because"));
  PLECTL_RETURN_IF_ERROR(ReadNoise(trial, keep_details, record));
  PLECTL_RETURN_IF_ERROR(ReadValidity(trial, record));
  if (parts != TrialParts::kAll) LeaveTotals(record);
  return record;
}

}  // namespace plectl::experiment
