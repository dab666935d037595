// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/calibration.h"
#include "host_tools/experiment/control_record.h"
#include "host_tools/experiment/plan.h"
#include "host_tools/experiment/schedule.h"
#include "host_tools/experiment/trial_record.h"

namespace plectl::experiment {

// Runs trials. KvmExecutor does it on a host with KVM.
class Executor {
 public:
  virtual ~Executor() = default;
  // The manifest's "host" and "observers".
  [[nodiscard]] virtual nlohmann::json Host() const = 0;
  [[nodiscard]] virtual std::vector<std::string> Observers() const = 0;
  // The manifest's "observer_cost"; null when there is nothing to say.
  [[nodiscard]] virtual nlohmann::json ObserverCost() const { return nullptr; }
  // One trial: a fresh guest under the trial's parameters. A guest or an observer that misbehaves
  // gives a record with `invalid_because`; an error means that no further trial can succeed, or
  // that a stop was requested.
  virtual Result<TrialRecord> Run(const Plan& plan, const ScheduledTrial& trial,
                                  uint32_t attempt) = 0;
  // What a PAUSE costs here. Fails in words only: a run without it is worth something too.
  virtual Calibration Calibrate(const Plan& /*plan*/) {
    return {.missing_because = "this executor has no CPU"};
  }
  // The controls of a session (controls.h), under the parameters of its last trial where these let
  // PLE fire. Errors are those of Run().
  virtual Result<std::vector<ControlRecord>> RunControls(const Plan& /*plan*/) {
    return std::vector<ControlRecord>();
  }
  // How often the module was reloaded for trials so far.
  [[nodiscard]] virtual int reloads() const = 0;
  // Puts the host back. Called at the end of a run, also after an error; safe to call twice.
  virtual Status Finish() = 0;
};

}  // namespace plectl::experiment
