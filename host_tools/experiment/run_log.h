// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"
#include "host_tools/experiment/trial_record.h"

namespace plectl::experiment {

inline constexpr int kRunLogSchema = 1;

// The first line of a run log, and of each session that resumed it.
struct Manifest {
  int schema = kRunLogSchema;
  std::string plectl_version;
  nlohmann::json plan;  // the plan's name, seed, blocks and text
  std::string plan_sha256;
  uint64_t seed = 0;
  nlohmann::json host;  // the fingerprint (host::Fingerprint)
  std::vector<std::string> observers;
};

nlohmann::json ToJson(const Manifest& manifest);
Result<Manifest> ManifestFromJson(const nlohmann::json& json);

// Everything that a run.jsonl holds.
struct RunLog {
  std::vector<Manifest> manifests;  // at least one
  std::vector<TrialRecord> trials;  // in file order, valid and invalid
  std::vector<std::string> notes;   // e.g. that a torn last line was dropped
  size_t complete_bytes = 0;        // the length up to the last whole line
  // Ids with a valid record. A duplicate valid record of an id is kept once (the first).
  [[nodiscard]] std::set<std::string> FinishedIds() const;
};

// Parses a run log. A last line without its newline is torn: dropped, with a note. Any other bad
// line is BadInput with "FILE:LINE: ". Concatenated shards are merged: manifests must agree on
// plan_sha256 and seed; the first valid record of an id counts.
Result<RunLog> ParseRunLog(std::string_view text, std::string_view file_name);
// `path` is a run's folder or its run.jsonl.
Result<RunLog> LoadRunLog(const std::filesystem::path& path);

// Appends to DIR/run.jsonl, each line written at once and fsynced.
class RunLogWriter {
 public:
  // Creates DIR and the file, or goes on with the one that is there after cutting off a torn last
  // line. The caller has checked the old content.
  static Result<RunLogWriter> Open(const std::filesystem::path& directory);
  Status Append(const Manifest& manifest);
  Status Append(const TrialRecord& record);

 private:
  explicit RunLogWriter(Fd file) : file_(std::move(file)) {}
  Status AppendLine(const std::string& line);
  Fd file_;
};

}  // namespace plectl::experiment
