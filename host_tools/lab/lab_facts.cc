// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/lab_facts.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace plectl::lab {
namespace {

using nlohmann::json;

json ProfileFacts(const LabOptions& options) {
  if (!options.profile) return nullptr;
  const CpuProfile& profile = *options.profile;
  return {{"name", profile.name},
          {"pause_tsc_cycles", profile.pause_tsc_cycles},
          {"figure", profile.figure},
          {"source", profile.source}};
}

// How finely time moves between PAUSEs. On one CPU each instruction is one TSC cycle.
json Granularity(const LabOptions& options, const EngineFacts* facts) {
  if (CpusOf(options) == 1) return 1;
  if (facts == nullptr) return {{"missing_because", "the emulator was not tested"}};
  if (facts->first_gap_tsc_cycles == 0) {
    return {{"missing_because", "no PAUSE loop exits: " + facts->ple_off_because}};
  }
  return facts->first_gap_tsc_cycles;
}

std::string Note(const LabOptions& options, const EngineFacts* facts) {
  std::string note =
      "an emulator, not silicon: time is instructions, one TSC cycle each; counts are exact, "
      "throughput and cycles predict nothing about a real CPU";
  if (options.profile) {
    note += fmt::format(
        "; profile {} on that emulator: each relax instruction is padded to the {} cycles that "
        "{} gives for a PAUSE",
        options.profile->name, options.profile->pause_tsc_cycles, options.profile->source);
  }
  if (CpusOf(options) > 1 && facts != nullptr && facts->first_gap_tsc_cycles > 0) {
    note += fmt::format(
        "; with {} CPUs its time moves in steps of {} TSC cycles: use gaps of 16 or more",
        CpusOf(options), facts->first_gap_tsc_cycles);
  }
  return note;
}

}  // namespace

json LabFacts(const LabOptions& options, std::string_view engine_version,
              std::string_view snapshot_key, const EngineFacts* engine_facts) {
  const bool resumed = !snapshot_key.empty();
  json facts = {{"engine", fmt::format("bochs-{}", engine_version)},
                {"cpu", BochsCpuModel(options.cpu)},
                {"cpus", CpusOf(options)},
                {"instructions_per_s", options.instructions_per_s},
                {"memory_mib", options.memory_mib},
                {"profile", ProfileFacts(options)},
                {"clock_granularity_tsc_cycles", Granularity(options, engine_facts)},
                {"seed", options.seed},
                {"seed_start", resumed ? "snapshot" : "cold"},
                {"seed_snapshot", resumed ? json(snapshot_key) : json(nullptr)},
                {"seed_delay_tsc_cycles", resumed ? SeedDelay(options) : 0},
                {"note", Note(options, engine_facts)}};
  // A lab without any stays the one that older logs name.
  if (!options.kernel_arguments.empty()) facts["kernel_arguments"] = options.kernel_arguments;
  return facts;
}

}  // namespace plectl::lab
