// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/run_log_merge.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "host_tools/experiment/host_identity.h"
#include "host_tools/experiment/point.h"
#include "host_tools/experiment/same_settings.h"

namespace plectl::experiment {
namespace {

// Figures of two hosts must never stand in one median.
Status OfOneHost(Status same) {
  if (same) return same;
  Error error = WithContext("this manifest is of another host than the first", same.error());
  error.hint = "take the records of each host into a log of their own";
  return Fail(std::move(error));
}

Status CheckMergeable(const Manifest& first, const Manifest& manifest) {
  if (manifest.plan_sha256 != first.plan_sha256 || manifest.seed != first.seed) {
    return BadInput("this manifest is of another plan or seed than the first",
                    "only shards and sessions of one plan can be merged");
  }
  if (manifest.payload_sha256 != first.payload_sha256) {
    return BadInput("this manifest is of another guest (payload_sha256) than the first",
                    "only what one payload ELF did can be merged");
  }
  if (manifest.observers != first.observers) {
    return BadInput("this manifest names other observers than the first",
                    "observers change what they watch: only runs with the same can be merged");
  }
  return OfOneHost(CheckSameHost(first, manifest, LabSeedRule::kMayDiffer));
}

// Of all that an id stands for (schedule.h).
size_t HashOfSettings(const TrialRecord& record) {
  constexpr uint64_t kOfBlock = 0x9e37'79b9'7f4a'7c15;  // any odd numbers without a pattern
  constexpr uint64_t kOfSeed = 0xc2b2'ae3d'27d4'eb4f;
  const uint64_t seed = record.lab_seed ? *record.lab_seed + 1 : 0;
  return HashOfPointArm(record.workload, record.params, record.arm) + record.block * kOfBlock +
         seed * kOfSeed;
}

}  // namespace

Status RunLogMerge::Add(RunLogLine&& line, const LinePlace& place) {
  if (auto* manifest = std::get_if<Manifest>(&line)) return AddManifest(std::move(*manifest));
  if (auto* control = std::get_if<ControlRecord>(&line)) return AddControl(std::move(*control));
  if (auto* trial = std::get_if<TrialRecord>(&line)) return AddTrial(std::move(*trial), place);
  return OkStatus();
}

Status RunLogMerge::AddManifest(Manifest manifest) {
  if (!head_.manifests.empty()) {
    const Manifest& first = head_.manifests.front();
    PLECTL_RETURN_IF_ERROR(CheckMergeable(first, manifest));
    if (const Status same = CheckSameSettings(first, manifest); !same && other_settings_.empty()) {
      other_settings_ = same.error().message;
    }
    same_lab_seed_ = OfOneHost(CheckSameHost(first, manifest, LabSeedRule::kSame));
  }
  head_.manifests.push_back(std::move(manifest));
  session_start_ = trials_;
  return OkStatus();
}

Status RunLogMerge::AddControl(ControlRecord control) {
  if (head_.manifests.empty()) return BadInput("a control stands before the first manifest");
  if (!control.failed_because.empty() && trials_ > session_start_) {
    failed_.push_back({trials_, session_start_, control.name});
  }
  head_.controls.push_back(std::move(control));
  return OkStatus();
}

void RunLogMerge::Spoil(TrialRecord& record) const {
  if (!record.valid()) return;
  for (const FailedControl& control : known_) {
    if (trials_ < control.session_start || trials_ >= control.trials_before) continue;
    record.invalid_because = fmt::format("the control {} of its session failed", control.name);
    return;
  }
}

// Trials are counted with those that are ignored, so that every reading counts them alike.
Status RunLogMerge::AddTrial(TrialRecord&& record, const LinePlace& place) {
  if (head_.manifests.empty()) return BadInput("a trial stands before the first manifest");
  // Labs may differ in their seed only where each record says which one it is of.
  if (!record.lab_seed) PLECTL_RETURN_IF_ERROR(same_lab_seed_);
  Spoil(record);
  ++trials_;
  if (record.valid()) {
    const size_t settings = HashOfSettings(record);
    const auto [first, is_new] = finished_.emplace(record.id, settings);
    if (!is_new && first->second != settings) {
      return BadInput(fmt::format("trial {} was measured with other settings before", record.id),
                      "an id names one point of one plan: take the records of each run into a log "
                      "of their own");
    }
    if (!is_new) {
      ++repeated_;
      return OkStatus();
    }
  }
  sink_.OnTrial(std::move(record), place);
  return OkStatus();
}

RunLogHead RunLogMerge::Take() {
  if (repeated_ > 0) {
    head_.notes.push_back(
        fmt::format("{} more records of finished trials were ignored", repeated_));
  }
  if (!other_settings_.empty()) {
    head_.notes.push_back(
        fmt::format("figures of different settings are pooled: {}", other_settings_));
  }
  return std::move(head_);
}

}  // namespace plectl::experiment
