// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/engine_facts.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "host_tools/base/file.h"

namespace plectl::lab {
namespace {

// Raised with every change of what the probes do or mean: old facts are then forgotten.
constexpr int kProbeVersion = 1;

std::filesystem::path FileFor(const std::filesystem::path& directory, const std::string& engine_id,
                              const EngineLane& lane) {
  return directory / fmt::format("{}.{}.json", engine_id, lane.name());
}

}  // namespace

std::string EngineLane::name() const {
  return fmt::format("{}{}", LabCpuName(cpu), smp ? "-smp" : "");
}

std::string WhyUnusable(const EngineLane& lane, const EngineFacts& facts) {
  if (!facts.repeatable) return "the same job gave different counts twice";
  if (!facts.ple_off_because.empty()) return {};  // the right answer is then: no PAUSE exits
  if (facts.first_gap_tsc_cycles == 0) return "no gap makes a PAUSE loop exit";
  if (lane.smp) return {};  // time moves in steps there: the loop is not measured exactly
  if (facts.first_gap_tsc_cycles != kProbeLoopTscCycles) {
    return fmt::format("a PAUSE loop of {} TSC cycles first exits with a gap of {}",
                       kProbeLoopTscCycles, facts.first_gap_tsc_cycles);
  }
  if (!facts.closed_form) return "PAUSE exits do not follow the formula of the CPU manuals";
  return {};
}

nlohmann::json ToJson(const EngineFacts& facts) {
  return {{"repeatable", facts.repeatable},
          {"first_gap_tsc_cycles", facts.first_gap_tsc_cycles},
          {"closed_form", facts.closed_form},
          {"interrupts_when_off", facts.interrupts_when_off},
          {"ple_off_because", facts.ple_off_because},
          {"probe_version", kProbeVersion}};
}

Result<EngineFacts> EngineFactsFromJson(const nlohmann::json& json) {
  try {
    if (json.at("probe_version").get<int>() != kProbeVersion) {
      return Inconclusive("the emulator was probed by another version of plectl");
    }
    EngineFacts facts;
    json.at("repeatable").get_to(facts.repeatable);
    json.at("first_gap_tsc_cycles").get_to(facts.first_gap_tsc_cycles);
    json.at("closed_form").get_to(facts.closed_form);
    json.at("interrupts_when_off").get_to(facts.interrupts_when_off);
    json.at("ple_off_because").get_to(facts.ple_off_because);
    return facts;
  } catch (const nlohmann::json::exception& exception) {
    return Inconclusive(fmt::format("the emulator's facts are not readable: {}", exception.what()));
  }
}

std::optional<EngineFacts> EngineFactsStore::Find(const std::string& engine_id,
                                                  const EngineLane& lane) const {
  const Result<std::string> text = ReadFile(FileFor(directory_, engine_id, lane));
  if (!text) return std::nullopt;
  const nlohmann::json json = nlohmann::json::parse(*text, nullptr, false);
  Result<EngineFacts> facts = EngineFactsFromJson(json);
  return facts ? std::optional(*std::move(facts)) : std::nullopt;
}

Status EngineFactsStore::Save(const std::string& engine_id, const EngineLane& lane,
                              const EngineFacts& facts) const {
  PLECTL_RETURN_IF_ERROR(MakeDirectories(directory_));
  return WriteFileAtomically(FileFor(directory_, engine_id, lane), ToJson(facts).dump(1) + "\n");
}

}  // namespace plectl::lab
