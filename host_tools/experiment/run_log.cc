// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/run_log.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/base/text.h"
#include "host_tools/experiment/host_identity.h"
#include "host_tools/experiment/json_fields.h"

namespace plectl::experiment {
namespace {

constexpr size_t kLineBytesMax = size_t{16} << 20;
constexpr uintmax_t kFileBytesMax = uintmax_t{1} << 30;

// Takes the lines of a run log, in order, and builds what they mean together.
class RunLogBuilder {
 public:
  explicit RunLogBuilder(RunLog& log) : log_(log) {}

  Status AddLine(std::string_view line) {
    if (Trim(line).empty()) return OkStatus();
    if (line.size() > kLineBytesMax) {
      return BadInput(fmt::format("longer than {} bytes", kLineBytesMax));
    }
    PLECTL_ASSIGN_OR_RETURN(const nlohmann::json json, ParseJsonObject(line));
    PLECTL_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of(json, "line"));
    PLECTL_ASSIGN_OR_RETURN(const std::string kind, fields.Text("kind"));
    if (kind == "manifest") return AddManifest(json);
    if (kind == "control") return AddControl(json);
    if (kind == "trial") return AddTrial(json);
    return fields.Wrong("kind", "\"manifest\", \"control\" or \"trial\"");
  }

  void AddNotes() {
    if (repeated_ == 0) return;
    log_.notes.push_back(fmt::format("{} more records of finished trials were ignored", repeated_));
  }

 private:
  Status AddManifest(const nlohmann::json& json) {
    PLECTL_ASSIGN_OR_RETURN(Manifest manifest, ManifestFromJson(json));
    if (!log_.manifests.empty()) {
      const Manifest& first = log_.manifests.front();
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
      PLECTL_RETURN_IF_ERROR(OfOneHost(CheckSameHost(first, manifest, LabSeedRule::kMayDiffer)));
      same_lab_seed_ = OfOneHost(CheckSameHost(first, manifest, LabSeedRule::kSame));
    }
    log_.manifests.push_back(std::move(manifest));
    session_start_ = log_.trials.size();
    return OkStatus();
  }

  // Figures of two hosts must never stand in one median.
  static Status OfOneHost(Status same) {
    if (same) return same;
    Error error = WithContext("this manifest is of another host than the first", same.error());
    error.hint = "take the records of each host into a log of their own";
    return Fail(std::move(error));
  }

  Status AddControl(const nlohmann::json& json) {
    if (log_.manifests.empty()) return BadInput("a control stands before the first manifest");
    PLECTL_ASSIGN_OR_RETURN(ControlRecord control, ControlFromJson(json));
    if (!control.failed_because.empty()) SpoilSession(control.name);
    log_.controls.push_back(std::move(control));
    return OkStatus();
  }

  // What a session measured on a host that cannot measure is worth nothing.
  void SpoilSession(const std::string& control) {
    for (size_t i = session_start_; i < log_.trials.size(); ++i) {
      TrialRecord& trial = log_.trials[i];
      if (!trial.valid()) continue;
      finished_.erase(trial.id);
      trial.invalid_because = fmt::format("the control {} of its session failed", control);
    }
  }

  Status AddTrial(const nlohmann::json& json) {
    if (log_.manifests.empty()) return BadInput("a trial stands before the first manifest");
    PLECTL_ASSIGN_OR_RETURN(TrialRecord record, TrialFromJson(json));
    // Labs may differ in their seed only where each record says which one it is of.
    if (!record.lab_seed) PLECTL_RETURN_IF_ERROR(same_lab_seed_);
    if (record.valid() && !finished_.insert(record.id).second) {
      ++repeated_;
      return OkStatus();
    }
    log_.trials.push_back(std::move(record));
    return OkStatus();
  }

  RunLog& log_;
  std::set<std::string> finished_;
  Status same_lab_seed_ = OkStatus();  // of the last manifest's session and the first
  size_t session_start_ = 0;           // the first trial of the last manifest's
  size_t repeated_ = 0;
};

Error AtLine(std::string_view file_name, size_t line_number, Error error) {
  if (error.hint.empty()) error.hint = "repair or remove the line";
  return WithContext(fmt::format("{}:{}", file_name, line_number), std::move(error));
}

}  // namespace

std::set<std::string> RunLog::FinishedIds() const {
  std::set<std::string> ids;
  for (const TrialRecord& trial : trials) {
    if (trial.valid()) ids.insert(trial.id);
  }
  return ids;
}

Result<RunLog> ParseRunLog(std::string_view text, std::string_view file_name) {
  RunLog log;
  log.complete_bytes = text.rfind('\n') + 1;  // npos + 1 is 0
  RunLogBuilder builder(log);
  size_t line_number = 0;
  for (size_t start = 0; start < log.complete_bytes;) {
    const size_t end = text.find('\n', start);
    ++line_number;
    if (const Status added = builder.AddLine(text.substr(start, end - start)); !added) {
      return Fail(AtLine(file_name, line_number, added.error()));
    }
    start = end + 1;
  }
  builder.AddNotes();
  if (log.complete_bytes < text.size()) {
    log.notes.push_back(fmt::format("{}:{}: a torn last line of {} bytes was dropped", file_name,
                                    line_number + 1, text.size() - log.complete_bytes));
  }
  return log;
}

Result<RunLog> LoadRunLog(const std::filesystem::path& path) {
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(path, error);
  const std::filesystem::path file = is_folder ? path / kRunLogFileName : path;
  const uintmax_t size = std::filesystem::file_size(file, error);
  if (!error && size > kFileBytesMax) {
    return BadInput(
        fmt::format("{} has {} bytes; at most {} are read", file.string(), size, kFileBytesMax));
  }
  const Result<std::string> text = ReadFile(file);
  if (!text) {
    return BadInput(text.error().message, "give the folder of a run, or its run.jsonl");
  }
  return ParseRunLog(*text, file.string());
}

}  // namespace plectl::experiment
