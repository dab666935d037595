// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "host_tools/experiment/run_log.h"
#include "host_tools/experiment/sweep.h"
#include "host_tools/lab/lab.h"

namespace plectl::cli {

// Appends what leaves the labs of a sweep to the run log outside. A lab is not trusted: each line
// is parsed first, what is written is what was understood, and it must be of the host and the seed
// that were started.
class RunLogLander : public lab::LabObserver {
 public:
  // `work` was found in the run log before.
  RunLogLander(const experiment::Plan& plan, const experiment::RemainingWork& work,
               experiment::RunLogWriter& writer, experiment::SweepProgress& progress);

  // The seed of the lab that comes next, as the plan has it.
  void Expect(std::optional<uint64_t> lab_seed) { lab_seed_ = lab_seed; }

  void OnProgress(std::string_view text) override;
  Status OnBooted(const lab::LabHello& hello, std::chrono::milliseconds boot_time) override;
  Status OnStderr(std::string_view bytes) override;
  Status OnRecord(std::string_view line) override;

 private:
  Status Land(const experiment::Manifest& manifest);
  Status Land(const experiment::TrialRecord& record);

  experiment::LabSeedRule seed_rule_;
  std::optional<experiment::Manifest> first_manifest_;
  std::optional<uint64_t> lab_seed_;
  experiment::RunLogWriter& writer_;
  experiment::SweepProgress& progress_;
};

}  // namespace plectl::cli
