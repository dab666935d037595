// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/control_record.h"
#include "host_tools/experiment/manifest.h"
#include "host_tools/experiment/trial_record.h"

namespace plectl::experiment {

// Where in a file a line stands, its newline not included.
struct LinePlace {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// Takes the trials of a run log one by one, so that reading a log of any size needs only the memory
// of what is kept of them.
class TrialSink {
 public:
  virtual ~TrialSink() = default;
  // What OnTrial() needs of each.
  [[nodiscard]] virtual TrialParts parts() const { return TrialParts::kAll; }
  // In file order, valid and invalid ones; of the valid records of one id only the first.
  virtual void OnTrial(TrialRecord trial, const LinePlace& place) = 0;
  // All trials come once more, from the first: a control failed that stood after some of its
  // session, which are invalid then.
  virtual void Restart() = 0;
};

// All that a run.jsonl holds but its trials.
struct RunLogHead {
  std::vector<Manifest> manifests;      // at least one when there is a trial
  std::vector<ControlRecord> controls;  // of all sessions, in file order
  std::vector<std::string> notes;       // e.g. that a torn last line was dropped
  uint64_t complete_bytes = 0;          // the length up to the last whole line
};

// Reads a run log. A last line without its newline is torn: dropped, with a note. Empty lines and
// CR before LF are ignored. Any other bad line is BadInput with "FILE:LINE: ", as is a line longer
// than 16 MiB and a trial before the first manifest. Concatenated shards are merged: manifests must
// agree on plan, seed, payload, observers and host; of the valid records of one id the first is
// kept, with a note. The trials before a failed control of their session are made invalid. A log
// that was torn before its first line was whole has neither manifests nor trials.
// `path` is a run's folder or its run.jsonl. Lines are parsed by as many threads as there are CPUs,
// up to four; `sink` is called from this one.
Result<RunLogHead> ReadRunLog(const std::filesystem::path& path, TrialSink& sink);
// The same of a text; `file_name` is for messages.
Result<RunLogHead> ReadRunLogText(std::string_view text, std::string_view file_name,
                                  TrialSink& sink);

}  // namespace plectl::experiment
