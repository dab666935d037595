// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/clock.h"
#include "host_tools/experiment/sweep.h"

namespace plectl::cli {

// Passes a sweep's progress on and adds up where its trials' time went, by the trials' own clocks:
// in the lab that is emulated time.
class SessionCosts : public experiment::SweepProgress {
 public:
  explicit SessionCosts(experiment::SweepProgress& next) : next_(next) {}

  void OnStart(size_t finished, size_t total) override;
  void OnRecord(const experiment::TrialRecord& record) override;
  void OnManifest(const experiment::Manifest& manifest) override;
  void OnControl(const experiment::ControlRecord& control) override { next_.OnControl(control); }
  void OnNote(std::string_view text) override { next_.OnNote(text); }

  // Trials that this session could not make valid, the finished ones aside.
  [[nodiscard]] size_t missing() const { return total_ - finished_; }
  [[nodiscard]] size_t measured() const { return measured_; }
  [[nodiscard]] const std::string& last_invalid_because() const { return last_invalid_because_; }
  // "plectl's own cost per trial: median 3.1 ms ...", for stderr; empty when nothing was measured.
  [[nodiscard]] std::string Text() const;

 private:
  experiment::SweepProgress& next_;
  size_t total_ = 0;
  size_t finished_ = 0;
  size_t measured_ = 0;
  size_t disturbed_ = 0;          // of them
  size_t disturbed_repeats_ = 0;  // records of trials that were run again for it
  std::string last_invalid_because_;
  std::vector<int64_t> own_ns_;  // of every record, valid or not
  int64_t params_ns_ = 0;
  int64_t run_ns_ = 0;
  std::optional<int64_t> start_up_ns_;  // until the first session began to measure
  bool in_lab_ = false;
  Stopwatch since_start_;
};

}  // namespace plectl::cli
