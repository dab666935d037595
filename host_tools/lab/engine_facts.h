// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/lab/cpu_profile.h"

namespace plectl::lab {

// The kinds of lab that are probed apart: an emulator can be right in one and wrong in another.
struct EngineLane {
  LabCpu cpu = LabCpu::kIntel;
  bool smp = false;                        // probed with two CPUs, holds for more
  [[nodiscard]] std::string name() const;  // "intel", "amd", "intel-smp", "amd-smp"
  friend bool operator==(const EngineLane&, const EngineLane&) = default;
};

// What a self-test (self_test.h) found out about an emulator in one lane.
struct EngineFacts {
  bool repeatable = false;  // the same job twice: the same counts and emulated instructions
  // The smallest PLE_Gap (AMD: pause_filter_thresh) under which a loop of kProbeLoopTscCycles takes
  // PAUSE exits. On one CPU it is the loop's length. 0: none does.
  uint64_t first_gap_tsc_cycles = 0;
  // The PAUSE exits of a loop follow N / (floor(window / length) + 2); AMD: N / (count + 2).
  bool closed_form = false;
  // A guest that spins with interrupts off is still left at the host's interrupts.
  bool interrupts_when_off = false;
  // Why PAUSE exits are off altogether, in plectl's words; empty when they are not.
  std::string ple_off_because;
  friend bool operator==(const EngineFacts&, const EngineFacts&) = default;
};

// How long the loop of the payload pause_loop is in an emulator where each instruction takes one
// TSC cycle: relax, dec, jnz.
inline constexpr uint64_t kProbeLoopTscCycles = 3;

// Why the lab cannot be trusted with any measurement in this lane; empty when it can.
std::string WhyUnusable(const EngineLane& lane, const EngineFacts& facts);

nlohmann::json ToJson(const EngineFacts& facts);
// Inconclusive error for anything that ToJson() does not write.
Result<EngineFacts> EngineFactsFromJson(const nlohmann::json& json);

// The facts that are known already, one file per emulator binary, kernel and lane: an emulator is
// probed once per version.
class EngineFactsStore {
 public:
  explicit EngineFactsStore(const std::filesystem::path& lab_directory)
      : directory_(lab_directory / "engines") {}

  // `engine_id` names emulator and kernel (EngineId()). Nothing when they were not probed, or the
  // file is damaged: then they are probed again.
  [[nodiscard]] std::optional<EngineFacts> Find(const std::string& engine_id,
                                                const EngineLane& lane) const;
  Status Save(const std::string& engine_id, const EngineLane& lane, const EngineFacts& facts) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace plectl::lab
