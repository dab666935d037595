// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/cli/sweep_figures.h"
#include "host_tools/experiment/sweep.h"
#include "host_tools/metrics/metrics_server.h"

namespace plectl::cli {

// Serves the metrics of a sweep while it runs, and passes its progress on. The sweep hands out a
// new version after each record and never waits for who reads one.
class SweepEndpoint final : public experiment::SweepProgress {
 public:
  // `log` is what the run has already. Errors are those of MetricsServer::Start().
  static Result<std::unique_ptr<SweepEndpoint>> Start(const metrics::ServerOptions& options,
                                                      const experiment::Plan& plan,
                                                      const experiment::RemainingWork& work,
                                                      experiment::SweepProgress& next);

  void OnStart(size_t finished, size_t total) override;
  void OnRecord(const experiment::TrialRecord& record) override;
  void OnManifest(const experiment::Manifest& manifest) override;
  void OnControl(const experiment::ControlRecord& control) override;
  void OnNote(std::string_view text) override { next_.OnNote(text); }

  // The sweep is over: says so, and goes on serving until somebody has scraped that, at most so
  // long. Ends early when `stop_fd` becomes readable.
  void Finish(std::chrono::seconds linger, int stop_fd);

  [[nodiscard]] std::string Url() const { return server_->Url(); }

 private:
  SweepEndpoint(SweepTally tally, experiment::SweepProgress& next)
      : tally_(std::move(tally)), next_(next) {}

  SweepTally tally_;
  experiment::SweepProgress& next_;
  std::shared_ptr<SweepFigures> figures_ = std::make_shared<SweepFigures>();
  std::unique_ptr<metrics::MetricsServer> server_;
};

}  // namespace plectl::cli
