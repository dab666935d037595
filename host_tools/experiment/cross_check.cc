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
  if (observed.check && !observed.check->lost_because.empty()) {
    return "the check observer lost events: " + observed.check->lost_because;
  }
  return {};
}

std::string WhyPauseExitsDoubtful(const ObservedCounts& observed) {
  const Count& primary = observed.primary.pause_exits;
  if (!primary.has_value()) return "PAUSE exits not counted: " + primary.missing_because();
  if (!observed.check) return {};
  const Count& check = observed.check->pause_exits;
  if (!check.has_value()) return "PAUSE exits not checked: " + check.missing_because();
  if (primary == check) return {};
  return fmt::format("the observers disagree on the PAUSE exits: {} against {}", primary.value(),
                     check.value());
}

// How many exits KVM's own statistic may lack.
uint64_t UntoldMax(const TrialRecord& record, const ObservedCounts& observed) {
  if (!observed.kvm_lacks_fast_path_exits) return 0;
  if (!record.exits_missing_because.empty()) {  // any of them but the PAUSE exits
    const Count& pauses = record.pause_exits;
    return record.exits_total.value() - (pauses.has_value() ? pauses.value() : 0);
  }
  uint64_t untold = 0;
  for (const char* reason : {"PREEMPTION_TIMER", "MSR_WRITE"}) {
    const auto found = record.exits.find(reason);
    if (found != record.exits.end()) untold += found->second;
  }
  return untold;
}

std::string WhyTotalDoubtful(const TrialRecord& record, const ObservedCounts& observed) {
  const Count& kvm = record.kvm_exits_total;
  if (!kvm.has_value()) return {};
  if (record.pause_exits.has_value() && record.pause_exits.value() > kvm.value()) {
    return fmt::format("the observer saw {} PAUSE exits, KVM's own statistic says {} exits in all",
                       record.pause_exits.value(), kvm.value());
  }
  const Count& counted = record.exits_total;
  if (!counted.has_value() || counted == kvm) return {};
  const bool may_be_untold =
      counted.value() > kvm.value() && counted.value() - kvm.value() <= UntoldMax(record, observed);
  if (may_be_untold) return {};
  return fmt::format("the observer saw {} exits, KVM's own statistic says {}", counted.value(),
                     kvm.value());
}

}  // namespace

void RecordGuestResult(const guests::GuestResult& result, TrialRecord& record) {
  record.throughput_per_s = result.all.throughput_per_s;
  record.tsc_khz = result.tsc_khz;
  record.elapsed_tsc_cycles = result.all.elapsed_tsc_cycles;
  record.vcpus = result.vcpus;
  record.fairness_jain = result.all.fairness_jain;
  record.waits = result.all.waits;
  record.vms = result.vms;
  record.contention = result.all.contention;
  record.not_contended_because = result.not_contended_because;
  record.timings.setup_ns = result.setup_ns;
  record.timings.run_ns = result.run_ns;
  record.timings.teardown_ns = result.teardown_ns;
}

void RecordCounts(const ObservedCounts& observed, TrialRecord& record) {
  record.pause_exits = observed.primary.pause_exits;
  record.pause_exits_check =
      observed.check ? observed.check->pause_exits : Count::Missing(observed.unchecked_because);
  record.observed = observed.primary.vcpus;
  record.exits = observed.primary.by_reason;
  record.exits_missing_because = observed.primary.by_reason_missing_because;
  record.exits_total = observed.primary.total;
  record.kvm_exits_total = KvmExitsOf(record.vcpus);
  record.window_updates = observed.primary.window_updates;
  record.window_growths = observed.primary.window_growths;
  record.window_shrinks = observed.primary.window_shrinks;
  if (!observed.primary.attached) return;
  for (const std::string& why :
       {WhyLost(observed), WhyPauseExitsDoubtful(observed), WhyTotalDoubtful(record, observed)}) {
    if (record.valid() && !why.empty()) record.invalid_because = why;
  }
}

}  // namespace plectl::experiment
