// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/host/observers.h"

namespace plectl::cli {

// The options of `plectl sweep`, `plectl calibrate` and `plectl selftest` that say what is measured
// and how. A command that runs inside the lab gets them as a file of its job: one codec writes and
// reads it, and does not compile when it leaves a field out.
struct SweepRequest {
  uint32_t attempts_max = 3;
  uint32_t disturbed_repeats_max = 2;  // of a trial that noise has disturbed
  std::chrono::seconds wait{0};        // before each reload, for the module's other users to go
  std::filesystem::path payload_elf;   // empty: the built-in payloads
  uint64_t relax_tsc_cycles = 0;       // of every guest; the lab's CPU profiles
  host::ObserverOptions observers;
  // Of the plan's lab_seeds only this one: the sweep inside the lab gets it.
  std::optional<uint64_t> only_lab_seed;
};

// Of every command that measures a CPU by guests of its own.
struct MeasureRequest {
  int cpu = 0;  // that the guests run on
  std::string format = "text";
  uint64_t relax_tsc_cycles = 0;
  std::chrono::seconds wait{0};
};

struct CalibrateRequest {
  MeasureRequest measure;
  bool keep_params = false;
  std::vector<uint64_t> bodies = {0, 1, 5, 20};
};

struct SelftestRequest {
  MeasureRequest measure;
  std::chrono::seconds deadline{300};  // what had no turn by then is not tried
};

// Where the lab finds them.
inline constexpr std::string_view kSweepRequestFile = "/job/sweep.json";
inline constexpr std::string_view kCalibrateRequestFile = "/job/calibrate.json";
inline constexpr std::string_view kSelftestRequestFile = "/job/selftest.json";
// The hidden commands that read them.
inline constexpr std::string_view kSweepInLab = "lab-sweep";
inline constexpr std::string_view kCalibrateInLab = "lab-calibrate";
inline constexpr std::string_view kSelftestInLab = "lab-selftest";

std::string ToJson(const SweepRequest& request);
Result<SweepRequest> SweepRequestFromJson(std::string_view text);
std::string ToJson(const CalibrateRequest& request);
Result<CalibrateRequest> CalibrateRequestFromJson(std::string_view text);
std::string ToJson(const SelftestRequest& request);
Result<SelftestRequest> SelftestRequestFromJson(std::string_view text);

}  // namespace plectl::cli
