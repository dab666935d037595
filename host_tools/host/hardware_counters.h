// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/hardware_events.h"
#include "host_tools/host/perf_event.h"

namespace plectl::host {

// What the CPU's own counters say of a trial; what it cannot count is missing with its reason.
struct HardwareCounts {
  std::vector<std::map<std::string, Count>> vcpus;  // of each armed thread
  // Of all packages, whatever else ran: microjoules by perf's name of the part ("energy-pkg").
  std::map<std::string, Count> energy_uj;
};

// Performance counters of the vCPU threads and RAPL's energy, by perf. They run only between Arm()
// and Read().
class HardwareCounters {
 public:
  static Result<HardwareCounters> Open(const HostRoot& root);
  // Each thread outside of the guest.
  void Arm(std::span<const pid_t> tids);
  // All threads have left the guest.
  HardwareCounts Read();

 private:
  struct Counter {
    std::string name;
    Result<PerfEvent> event;  // or why it cannot be counted
    double uj_per_unit = 0;   // of energy
  };
  explicit HardwareCounters(HostRoot root) : root_(std::move(root)) {}
  void ArmThread(pid_t tid);
  void ArmEnergy();
  [[nodiscard]] std::vector<Counter> EnergyOf(const std::string& part) const;

  HostRoot root_;
  std::vector<HardwareQuantity> quantities_;
  std::vector<std::vector<Counter>> vcpus_;
  std::vector<Counter> energy_;  // one for each part and package
};

// The joules of one unit of a RAPL event from its file "energy-pkg.scale", in microjoules. Pure.
Result<double> MicrojoulesPerUnit(std::string_view scale_text);

// "0,18-19" as {0, 18, 19}; the CPUs that perf's PMU wants its packages' counters read on. Empty
// for text that is no such list. A pure function.
std::vector<int> ParseCpumask(std::string_view text);

}  // namespace plectl::host
