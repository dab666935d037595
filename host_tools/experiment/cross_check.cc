// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/cross_check.h"

#include <fmt/format.h>

namespace plectl::experiment {
namespace {

// The sum of KVM's own `exits` statistic over all vCPUs; missing when one is.
Count KvmExitsOf(const std::vector<guests::VcpuResult>& vcpus) {
  uint64_t total = 0;
  for (const guests::VcpuResult& vcpu : vcpus) {
    if (!vcpu.kvm_exits.has_value()) return vcpu.kvm_exits;
    total += vcpu.kvm_exits.value();
  }
  return total;
}

std::string WhyLost(const ObservedCounts& observed) {
  if (!observed.primary.lost_because.empty()) {
    return "the observer lost events: " + observed.primary.lost_because;
  }
  if (!observed.check.lost_because.empty()) {
    return "the check observer lost events: " + observed.check.lost_because;
  }
  return {};
}

std::string WhyPauseExitsDoubtful(const Count& primary, const Count& check) {
  if (!primary.has_value()) return "PAUSE exits not counted: " + primary.missing_because();
  if (!check.has_value()) return "PAUSE exits not checked: " + check.missing_because();
  if (primary == check) return {};
  return fmt::format("the observers disagree on the PAUSE exits: {} against {}", primary.value(),
                     check.value());
}

std::string WhyTotalDoubtful(const Count& counted, const Count& kvm) {
  if (!counted.has_value() || !kvm.has_value() || counted == kvm) return {};
  return fmt::format("the observer saw {} exits, KVM's own statistic says {}", counted.value(),
                     kvm.value());
}

}  // namespace

void RecordCounts(const ObservedCounts& observed, TrialRecord& record) {
  record.pause_exits = observed.primary.pause_exits;
  record.pause_exits_check = observed.check.pause_exits;
  record.exits = observed.primary.by_reason;
  record.exits_missing_because = observed.primary.by_reason_missing_because;
  record.exits_total = observed.primary.total;
  record.kvm_exits_total = KvmExitsOf(record.vcpus);
  record.window_updates = observed.primary.window_updates;
  record.window_growths = observed.primary.window_growths;
  record.window_shrinks = observed.primary.window_shrinks;
  if (!observed.primary.attached) return;
  for (const std::string& why :
       {WhyLost(observed), WhyPauseExitsDoubtful(record.pause_exits, record.pause_exits_check),
        WhyTotalDoubtful(record.exits_total, record.kvm_exits_total)}) {
    if (record.valid() && !why.empty()) record.invalid_because = why;
  }
}

}  // namespace plectl::experiment
