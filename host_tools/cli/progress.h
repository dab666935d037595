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

// Shows on stderr how far a sweep is and when it will end. The estimate is the mean time of this
// session's trials so far, so it includes reloads; what came before the first of them (the lab's
// self-test and boot, calibration) is told apart.
class ProgressLine : public experiment::SweepProgress {
 public:
  explicit ProgressLine(ProgressStyle style) : style_(style) {}
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
  [[nodiscard]] int64_t EtaNs() const;

  ProgressStyle style_;
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
