// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/run_log_line.h"
#include "host_tools/experiment/run_log_reader.h"

namespace plectl::experiment {

// A control that failed: the trials of its session before it are worth nothing.
struct FailedControl {
  size_t trials_before = 0;  // in the whole log
  size_t session_start = 0;  // the first of them
  std::string name;
};

// Takes the lines of a run log, in order, and builds what they mean together.
class RunLogMerge {
 public:
  // `known` is what an earlier reading of the same log found out.
  RunLogMerge(TrialSink& sink, std::vector<FailedControl> known)
      : sink_(sink), known_(std::move(known)) {}

  Status Add(RunLogLine&& line, const LinePlace& place);
  // Whether nothing was understood so far.
  [[nodiscard]] bool is_empty() const { return head_.manifests.empty(); }
  // Whether the log must be read again with `TakeFailed()` as `known`.
  [[nodiscard]] bool must_restart() const { return failed_.size() > known_.size(); }
  std::vector<FailedControl> TakeFailed() { return std::move(failed_); }
  // The end of the log.
  RunLogHead Take();

 private:
  Status AddManifest(Manifest manifest);
  Status AddControl(ControlRecord control);
  Status AddTrial(TrialRecord&& record, const LinePlace& place);
  // Makes the next trial invalid when its session's control is known to have failed.
  void Spoil(TrialRecord& record) const;

  TrialSink& sink_;
  std::vector<FailedControl> known_;
  std::vector<FailedControl> failed_;
  RunLogHead head_;
  std::unordered_map<std::string, size_t> finished_;  // the settings of each id, as a hash
  Status same_lab_seed_ = OkStatus();  // of the last manifest's session and the first
  std::string other_settings_;         // how those of a session differ from the first one's
  size_t session_start_ = 0;           // the first trial of the last manifest's
  size_t trials_ = 0;
  size_t repeated_ = 0;
};

}  // namespace plectl::experiment
