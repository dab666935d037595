// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "host_tools/base/clock.h"
#include "host_tools/experiment/sweep.h"

namespace plectl::cli {

enum class ProgressStyle {
  kNone,
  kPlain,     // a line now and then
  kTerminal,  // one line that is rewritten
};

// kTerminal when stderr is a terminal, else kPlain.
ProgressStyle DefaultProgressStyle();

// How long `left` trials take after `done` ones took `elapsed_ns`: at first as `estimate_ns` says
// for all of them together, later as those that are done. One trial alone says little: it may hold
// a reload of the module, or be of a payload unlike the others.
int64_t EtaNs(int64_t elapsed_ns, size_t done, size_t left, int64_t estimate_ns);

// Shows on stderr how far a sweep is and when it will end (EtaNs()). What comes before its first
// trial (the lab's self-test and boot, calibration) is told apart.
class ProgressLine : public experiment::SweepProgress {
 public:
  // `estimate_ns` is what the schedule says of its trials.
  explicit ProgressLine(ProgressStyle style, int64_t estimate_ns = 0)
      : style_(style), estimate_ns_(estimate_ns) {}
  ~ProgressLine() override;
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void OnStart(size_t finished, size_t total) override;
  void OnRecord(const experiment::TrialRecord& record) override;
  void OnManifest(const experiment::Manifest& manifest) override;
  void OnNote(std::string_view text) override;
  // Ends a rewritten line, so that what follows starts on its own.
  void EndLine();

 private:
  [[nodiscard]] std::string Text(const experiment::TrialRecord& record) const;

  ProgressStyle style_;
  int64_t estimate_ns_;
  size_t resumed_at_ = 0;
  size_t finished_ = 0;
  size_t total_ = 0;
  Stopwatch since_start_;
  Stopwatch since_trials_;  // since the first session began to measure
  bool measures_ = false;
  int64_t last_plain_ns_ = 0;
  bool line_open_ = false;
  bool said_not_contended_ = false;
};

}  // namespace plectl::cli
