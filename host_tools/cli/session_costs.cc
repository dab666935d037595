// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/session_costs.h"

#include <fmt/format.h>

#include <algorithm>

#include "host_tools/experiment/lab_host.h"

namespace plectl::cli {
namespace {

constexpr double kNsPerMs = 1e6;
constexpr double kNsPerS = 1e9;

double MedianMs(std::vector<int64_t> values_ns) {
  const auto middle = values_ns.begin() + static_cast<std::ptrdiff_t>(values_ns.size() / 2);
  std::nth_element(values_ns.begin(), middle, values_ns.end());
  return static_cast<double>(*middle) / kNsPerMs;
}

}  // namespace

void SessionCosts::OnStart(size_t finished, size_t total) {
  finished_ = finished;
  total_ = total;
  next_.OnStart(finished, total);
}

void SessionCosts::OnManifest(const experiment::Manifest& manifest) {
  in_lab_ = experiment::IsLab(manifest.host);
  if (!start_up_ns_) start_up_ns_ = since_start_.ElapsedNs();
  next_.OnManifest(manifest);
}

void SessionCosts::OnRecord(const experiment::TrialRecord& record) {
  own_ns_.push_back(record.timings.own_ns);
  params_ns_ += record.timings.params_ns;
  run_ns_ += record.timings.run_ns;
  if (record.valid()) {
    ++measured_;
    ++finished_;
    if (!record.disturbed_because.empty()) ++disturbed_;
  } else if (record.repeated_as_disturbed()) {
    ++disturbed_repeats_;
  } else {
    last_invalid_because_ = record.invalid_because;
  }
  next_.OnRecord(record);
}

std::string SessionCosts::Text() const {
  if (own_ns_.empty()) return {};
  const int64_t start_up_ns = start_up_ns_.value_or(0);
  std::string text = fmt::format(
      "{} trials in {:.0f} s after a start-up of {:.0f} s{}: guests ran {:.1f} s, parameter "
      "changes took {:.1f} s; plectl's own "
      "cost per trial: median {:.1f} ms, most {:.1f} ms",
      measured_, static_cast<double>(since_start_.ElapsedNs() - start_up_ns) / kNsPerS,
      static_cast<double>(start_up_ns) / kNsPerS,
      in_lab_ ? " by the clock; by the lab's own, which is emulated" : "",
      static_cast<double>(run_ns_) / kNsPerS, static_cast<double>(params_ns_) / kNsPerS,
      MedianMs(own_ns_),
      static_cast<double>(*std::max_element(own_ns_.begin(), own_ns_.end())) / kNsPerMs);
  if (disturbed_ + disturbed_repeats_ > 0) {
    text += fmt::format("\ndisturbed by the host: {} trials were repeated, {} stayed disturbed",
                        disturbed_repeats_, disturbed_);
  }
  return text;
}

}  // namespace plectl::cli
