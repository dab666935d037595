// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/run_log.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/base/text.h"

namespace plectl::experiment {
namespace {

class Collector : public TrialSink {
 public:
  explicit Collector(TrialParts parts = TrialParts::kAll) : parts_(parts) {}

  [[nodiscard]] TrialParts parts() const override { return parts_; }
  void OnTrial(TrialRecord trial, const LinePlace& /*place*/) override {
    log_.trials.push_back(std::move(trial));
  }
  void Restart() override { log_.trials.clear(); }

  Result<RunLog> Take(Result<RunLogHead> head) {
    if (!head) return Fail(std::move(head).error());
    static_cast<RunLogHead&>(log_) = *std::move(head);
    return std::move(log_);
  }

 private:
  TrialParts parts_;
  RunLog log_;
};

}  // namespace

std::set<std::string> RunLog::FinishedIds() const {
  std::set<std::string> ids;
  for (const TrialRecord& trial : trials) {
    if (trial.valid()) ids.insert(trial.id);
  }
  return ids;
}

// Trying the lock itself could make a sweep that starts at this moment fail.
bool IsBeingWritten(const std::filesystem::path& run) {
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(run, error);
  struct stat status {};
  if (::stat((is_folder ? run / kRunLogFileName : run).c_str(), &status) != 0) return false;
  const std::string file =
      fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
  const Result<std::string> locks = ReadFile("/proc/locks");
  if (!locks) return false;
  for (const std::string_view line : Split(*locks, '\n')) {
    const std::vector<std::string_view> words = Split(line, ' ');
    if (std::ranges::find(words, "FLOCK") == words.end()) continue;
    if (std::ranges::find(words, file) != words.end()) return true;
  }
  return false;
}

std::string NextStepFor(const std::filesystem::path& run) {
  return IsBeingWritten(run) ? "its sweep is still running: look again later"
                             : "run the sweep again: it goes on where it stopped";
}

Failure NothingMeasured(const std::filesystem::path& run, bool has_manifest) {
  if (has_manifest || IsBeingWritten(run)) {
    return Inconclusive(fmt::format("{} holds no valid trial", run.string()), NextStepFor(run));
  }
  return Inconclusive(fmt::format("{} holds no record of a sweep", run.string()),
                      "give the DIR that plectl sweep PLAN --out DIR filled");
}

Result<RunLog> ParseRunLog(std::string_view text, std::string_view file_name) {
  Collector collector;
  return collector.Take(ReadRunLogText(text, file_name, collector));
}

Result<RunLog> LoadRunLog(const std::filesystem::path& path) {
  Collector collector;
  return collector.Take(ReadRunLog(path, collector));
}

Result<RunLog> LoadRunLogTotals(const std::filesystem::path& path) {
  Collector collector(TrialParts::kTotals);
  return collector.Take(ReadRunLog(path, collector));
}

}  // namespace plectl::experiment
