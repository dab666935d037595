// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/sweep_endpoint.h"

#include <fmt/format.h>
#include <poll.h>

#include <utility>

#include "host_tools/cli/export_metrics.h"

namespace plectl::cli {
namespace {

// Its threads give way to the trials'.
constexpr int kNice = 10;
constexpr int kPollMs = 50;
// For the answer to reach who has asked.
constexpr int kAnswerMs = 200;

// Whether it became readable.
bool WaitFor(int fd, int timeout_ms) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, timeout_ms) > 0;
}

}  // namespace

Result<std::unique_ptr<SweepEndpoint>> SweepEndpoint::Start(const metrics::ServerOptions& options,
                                                            const experiment::Plan& plan,
                                                            const experiment::RemainingWork& work,
                                                            experiment::SweepProgress& next) {
  std::unique_ptr<SweepEndpoint> endpoint(new SweepEndpoint(SweepTally(plan, work), next));
  metrics::ServerOptions nice = options;
  nice.nice = kNice;
  endpoint->figures_->Publish(endpoint->tally_.State());
  PLECTL_ASSIGN_OR_RETURN(endpoint->server_,
                          metrics::MetricsServer::Start(nice, endpoint->figures_));
  return endpoint;
}

void SweepEndpoint::OnStart(size_t finished, size_t total) {
  tally_.Start(finished, total);
  figures_->Publish(tally_.State());
  next_.OnStart(finished, total);
}

void SweepEndpoint::OnRecord(const experiment::TrialRecord& record) {
  const size_t left_out = tally_.left_out();
  tally_.Add(record);
  figures_->Publish(tally_.State());
  next_.OnRecord(record);
  if (left_out == 0 && tally_.left_out() > 0) {
    next_.OnNote(
        fmt::format("metrics: {} trials have series of their own; all further ones only count "
                    "(plectl_run_trials_left_out)",
                    kTrialsWithSeriesMax));
  }
}

void SweepEndpoint::OnManifest(const experiment::Manifest& manifest) {
  tally_.Add(manifest);
  figures_->Publish(tally_.State());
  next_.OnManifest(manifest);
}

void SweepEndpoint::OnControl(const experiment::ControlRecord& control) {
  tally_.Add(control);
  figures_->Publish(tally_.State());
  next_.OnControl(control);
}

void SweepEndpoint::Finish(std::chrono::seconds linger, int stop_fd) {
  tally_.End();
  figures_->Publish(tally_.State());
  const Stopwatch waiting;
  const int64_t limit_ns = std::chrono::nanoseconds(linger).count();
  while (waiting.ElapsedNs() < limit_ns && !WaitFor(stop_fd, kPollMs)) {
    if (figures_->scrapes_of_end() == 0) continue;
    WaitFor(stop_fd, kAnswerMs);
    return;
  }
}

}  // namespace plectl::cli
