// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"
#include "host_tools/experiment/control_record.h"
#include "host_tools/experiment/manifest.h"
#include "host_tools/experiment/run_log_reader.h"
#include "host_tools/experiment/trial_record.h"

namespace plectl::experiment {

inline constexpr std::string_view kRunLogFileName = "run.jsonl";

// Everything that a run.jsonl holds. A large one needs ten times its size of memory: who keeps
// little of each trial reads it with a TrialSink (run_log_reader.h).
struct RunLog : RunLogHead {
  std::vector<TrialRecord> trials;  // in file order, valid and invalid
  // Ids with a valid record.
  [[nodiscard]] std::set<std::string> FinishedIds() const;
};

// As ReadRunLogText() and ReadRunLog(), into memory.
Result<RunLog> ParseRunLog(std::string_view text, std::string_view file_name);
Result<RunLog> LoadRunLog(const std::filesystem::path& path);
// Without most of what the records say: the totals of each trial, and of each vCPU its times, its
// acquisitions and its `extra`. So a log of any size fits into memory.
Result<RunLog> LoadRunLogTotals(const std::filesystem::path& path);

// Whether a sweep is appending to the log, as far as this process can see.
bool IsBeingWritten(const std::filesystem::path& run);
// What to do about trials that are not there yet.
std::string NextStepFor(const std::filesystem::path& run);
// For a run without a valid trial.
Failure NothingMeasured(const std::filesystem::path& run, bool has_manifest);

// One line of a run log, its newline included.
std::string ToLine(const Manifest& manifest);
std::string ToLine(const ControlRecord& control);
std::string ToLine(const TrialRecord& record);

// Appends to DIR/run.jsonl, each line written at once and fsynced; holds a lock on the file against
// a second writer.
class RunLogWriter {
 public:
  // Creates DIR and the file durably, or goes on with the one that is there after cutting off a
  // torn last line. The caller has checked the old content.
  static Result<RunLogWriter> Open(const std::filesystem::path& directory);
  // A log that it made and wrote nothing to is removed: a start that failed leaves no run behind.
  ~RunLogWriter();
  RunLogWriter(RunLogWriter&&) = default;
  RunLogWriter& operator=(RunLogWriter&&) = delete;
  RunLogWriter(const RunLogWriter&) = delete;
  RunLogWriter& operator=(const RunLogWriter&) = delete;

  // When a line cannot be written whole (disk full), none of it is left behind.
  Status Append(const Manifest& manifest);
  Status Append(const ControlRecord& control);
  Status Append(const TrialRecord& record);

 private:
  RunLogWriter(Fd file, std::filesystem::path path, bool is_new)
      : file_(std::move(file)), path_(std::move(path)), is_new_(is_new) {}
  Status AppendLine(const std::string& line);

  Fd file_;
  std::filesystem::path path_;
  bool is_new_;  // there was no such file before
};

}  // namespace plectl::experiment
