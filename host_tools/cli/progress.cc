// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace plectl::cli {
namespace {

constexpr int64_t kPlainIntervalNs = 10'000'000'000;
constexpr int64_t kNsPerSecond = 1'000'000'000;

std::string DurationText(int64_t ns) {
  const int64_t seconds = ns / kNsPerSecond;
  if (seconds < 60) return fmt::format("{} s", seconds);
  return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
}

std::string PauseExitsText(const Count& pause_exits) {
  return pause_exits.has_value() ? fmt::format("{} PAUSE exits", pause_exits.value())
                                 : "PAUSE exits missing";
}

}  // namespace

ProgressStyle DefaultProgressStyle() {
  return ::isatty(STDERR_FILENO) == 1 ? ProgressStyle::kTerminal : ProgressStyle::kPlain;
}

int64_t EtaNs(int64_t elapsed_ns, size_t done, size_t left, int64_t estimate_ns) {
  if (done + left == 0 || (done == 0 && estimate_ns == 0)) return 0;
  // The estimate counts as much as so many trials.
  constexpr double kEstimateWeight = 3;
  const double weight = estimate_ns > 0 ? kEstimateWeight : 0;
  const double estimate_each_ns =
      static_cast<double>(estimate_ns) / static_cast<double>(done + left);
  const double each_ns = (static_cast<double>(elapsed_ns) + weight * estimate_each_ns) /
                         (static_cast<double>(done) + weight);
  return static_cast<int64_t>(each_ns * static_cast<double>(left));
}

ProgressLine::~ProgressLine() { EndLine(); }

void ProgressLine::OnStart(size_t finished, size_t total) {
  resumed_at_ = finished_ = finished;
  total_ = total;
  since_start_.Restart();
  since_trials_.Restart();
  if (style_ == ProgressStyle::kNone) return;
  if (finished == total) {
    fmt::print(stderr, "all {} trials are finished already\n", total);
  } else if (finished > 0) {
    fmt::print(stderr, "resuming: {} of {} trials are finished\n", finished, total);
  } else {
    fmt::print(stderr, "{} trials\n", total);
  }
  if (finished < total && estimate_ns_ > 0) {
    fmt::print(stderr, "estimate for the trials: {}, start-up not included (--dry-run says why)\n",
               DurationText(estimate_ns_));
  }
}

// With lab_seeds each lab has one: only the first start is no part of the pace.
void ProgressLine::OnManifest(const experiment::Manifest& /*manifest*/) {
  if (measures_) return;
  measures_ = true;
  since_trials_.Restart();
  if (style_ == ProgressStyle::kNone || since_start_.ElapsedNs() < kNsPerSecond) return;
  EndLine();
  fmt::print(stderr, "start-up took {}; now the trials\n", DurationText(since_start_.ElapsedNs()));
}

void ProgressLine::OnRecord(const experiment::TrialRecord& record) {
  if (record.valid()) ++finished_;
  if (style_ == ProgressStyle::kNone) return;
  if (!record.valid()) {
    EndLine();
    fmt::print(stderr, "trial {} attempt {} {}\n", record.id, record.attempt,
               record.repeated_as_disturbed()
                   ? fmt::format("is repeated, it was {}", record.invalid_because)
                   : fmt::format("is invalid: {}", record.invalid_because));
    return;
  }
  if (!record.disturbed_because.empty()) {
    EndLine();
    fmt::print(stderr, "trial {} attempt {} is kept, but it was disturbed: {}\n", record.id,
               record.attempt, record.disturbed_because);
  }
  // Once: a plan that is too short is so in all its trials of a payload.
  if (!record.not_contended_because.empty() && !said_not_contended_) {
    EndLine();
    said_not_contended_ = true;
    fmt::print(stderr, "trial {} ({}) is NOT CONTENDED, its figures say nothing about PLE: {}\n",
               record.id, record.workload.payload, record.not_contended_because);
  }
  if (style_ == ProgressStyle::kTerminal) {
    fmt::print(stderr, "\r\033[K{}", Text(record));
    std::fflush(stderr);
    line_open_ = true;
    return;
  }
  const int64_t now_ns = since_start_.ElapsedNs();
  if (finished_ == total_ || now_ns - last_plain_ns_ >= kPlainIntervalNs) {
    fmt::print(stderr, "{}\n", Text(record));
    last_plain_ns_ = now_ns;
  }
}

void ProgressLine::OnNote(std::string_view text) {
  EndLine();
  fmt::print(stderr, "{}\n", text);
}

std::string ProgressLine::Text(const experiment::TrialRecord& record) const {
  const int64_t eta_ns =
      EtaNs(since_trials_.ElapsedNs(), finished_ - resumed_at_, total_ - finished_, estimate_ns_);
  return fmt::format("[{}/{}] {} %, ETA {}; {} {}: {}", finished_, total_,
                     finished_ * 100 / std::max<size_t>(total_, 1), DurationText(eta_ns),
                     record.workload.payload, experiment::ArmName(record.arm),
                     PauseExitsText(record.pause_exits));
}

void ProgressLine::EndLine() {
  if (line_open_) fmt::print(stderr, "\n");
  line_open_ = false;
}

}  // namespace plectl::cli
