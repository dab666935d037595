// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"
#include "host_tools/experiment/control_record.h"
#include "host_tools/experiment/trial_record.h"

namespace plectl::experiment {

inline constexpr int kRunLogSchema = 1;
inline constexpr std::string_view kRunLogFileName = "run.jsonl";

// The first line of a run log, and of each session that resumed it.
struct Manifest {
  int schema = kRunLogSchema;
  std::string plectl_version;
  nlohmann::json plan = nlohmann::json::object();  // the plan's name, seed, blocks and text
  std::string plan_sha256;
  std::string payload_sha256;  // of the guest, without what differs between the arms
  uint64_t seed = 0;
  nlohmann::json host = nlohmann::json::object();  // the fingerprint (host::Fingerprint)
  std::vector<std::string> observers;
  nlohmann::json calibration;    // experiment/calibration.h; null: not in older logs
  nlohmann::json observer_cost;  // what they add to each exit; null: not in older logs
};

nlohmann::json ToJson(const Manifest& manifest);
// BadInput that names the field; a schema newer than kRunLogSchema is refused with that reason.
Result<Manifest> ManifestFromJson(const nlohmann::json& json);

// Everything that a run.jsonl holds.
struct RunLog {
  std::vector<Manifest> manifests;      // at least one when there is a trial
  std::vector<ControlRecord> controls;  // of all sessions, in file order
  std::vector<TrialRecord> trials;      // in file order, valid and invalid
  std::vector<std::string> notes;       // e.g. that a torn last line was dropped
  size_t complete_bytes = 0;            // the length up to the last whole line
  // Ids with a valid record.
  [[nodiscard]] std::set<std::string> FinishedIds() const;
};

// Parses a run log. A last line without its newline is torn: dropped, with a note. Empty lines and
// CR before LF are ignored. Any other bad line is BadInput with "FILE:LINE: ", as is a line longer
// than 16 MiB and a trial before the first manifest. Concatenated shards are merged: manifests must
// agree on plan, seed, payload, observers and host; of the valid records of one id the first is
// kept, with a note. The trials before a failed control of their session are made invalid. A log
// that was torn before its first line was whole has neither manifests nor trials.
Result<RunLog> ParseRunLog(std::string_view text, std::string_view file_name);
// `path` is a run's folder or its run.jsonl.
Result<RunLog> LoadRunLog(const std::filesystem::path& path);

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
  // When a line cannot be written whole (disk full), none of it is left behind.
  Status Append(const Manifest& manifest);
  Status Append(const ControlRecord& control);
  Status Append(const TrialRecord& record);

 private:
  RunLogWriter(Fd file, std::filesystem::path path)
      : file_(std::move(file)), path_(std::move(path)) {}
  Status AppendLine(const std::string& line);

  Fd file_;
  std::filesystem::path path_;
};

}  // namespace plectl::experiment
