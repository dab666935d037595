// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "host_tools/experiment/cross_check.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/host/observers.h"

namespace plectl::experiment {

// Counts a guest's exits, and nothing else, by the observers that are attached in every trial. For
// guests that are no trials: these have more around them (KvmExecutor).
class CountingObserver : public guests::GuestObserver {
 public:
  // Null: nobody watches, and the counts stay missing.
  explicit CountingObserver(const host::ObserverPair* observers) : observers_(observers) {}

  Status OnReady(pid_t tgid, std::span<const pid_t> vcpu_tids) override {
    if (observers_ == nullptr) return OkStatus();
    PLECTL_RETURN_IF_ERROR(observers_->primary->Arm(tgid, vcpu_tids));
    return checks() ? observers_->check->Arm(tgid, vcpu_tids) : OkStatus();
  }

  Status OnFinished() override {
    if (observers_ == nullptr) return OkStatus();
    PLECTL_ASSIGN_OR_RETURN(counts.primary, observers_->primary->Read());
    if (!checks()) return OkStatus();
    PLECTL_ASSIGN_OR_RETURN(counts.check, observers_->check->Read());
    return OkStatus();
  }

  ObservedCounts counts;

 private:
  [[nodiscard]] bool checks() const {
    return observers_->check != nullptr && observers_->check_trials == host::CheckTrials::kEvery;
  }

  const host::ObserverPair* observers_;
};

}  // namespace plectl::experiment
