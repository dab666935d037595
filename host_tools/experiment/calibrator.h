// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/experiment/calibration.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/host/observers.h"
#include "host_tools/host/param_session.h"

namespace plectl::experiment {

// One spin loop: at which gap PLE should see it, and at which it does.
struct LoopCliff {
  std::string loop;         // the payload that runs it: wait_loop or pause_loop
  uint64_t body_loops = 0;  // guests::Workload::body_loops
  double interval_tsc_cycles = 0;
  uint64_t predicted_gap = 0;
  Count first_gap = Count::Missing("not measured");
  bool out_of_time = false;  // first_gap was not searched to its end
};

// Why something was not tried when CalibratorParts::out_of_time or SelftestParts::out_of_time says
// so.
inline constexpr std::string_view kOutOfTime = "not tried: out of time";

// What one way of observing adds to each PAUSE exit, in TSC cycles of this host.
struct ObserverTime {
  std::string observer;
  std::optional<double> tsc_cycles_per_exit;
  std::string missing_because;
};

struct CalibrationReport {
  std::string gap_name;  // ple_gap or pause_filter_thresh
  // Not empty: under the parameters that the module has, no lock's wait loop makes PLE fire.
  std::string cannot_fire_because;
  std::string not_tried_because;  // not empty: no cliffs and no observers can be measured
  Calibration calibration;
  std::vector<LoopCliff> cliffs;
  std::vector<ObserverTime> observers;
};

// How much of it is measured.
enum class CalibrationDepth {
  kDistances,  // no reload: the parameters stay as they are
  kCliffs,     // the gaps, too
  kObservers,  // and what observing costs
};

struct CalibratorParts {
  HostRoot root;
  host::KvmModule module = host::KvmModule::kIntel;
  host::ParamSession params;
  std::unique_ptr<guests::GuestRunner> runner;  // of the built-in guest
  uint64_t relax_tsc_cycles = 0;
  int cpu = 0;  // that the guests run on
  // Told what is measured next, for people: some of it takes many seconds.
  std::function<void(std::string_view)> on_step = [](std::string_view) {};
  // Asked before each reload: whether no more of them may be begun.
  std::function<bool()> out_of_time = [] { return false; };
};

// Measures PAUSE and its loops on a host, then reloads the module to see whether PLE starts to fire
// where they say, and what observing costs. The host is restored by Finish(), at the latest by the
// destructor.
class Calibrator {
 public:
  explicit Calibrator(CalibratorParts parts) : parts_(std::move(parts)) {}

  // `bodies`: for each a wait loop with so many body_loops is measured; the first is 0. What
  // `depth` leaves out is missing.
  Result<CalibrationReport> Run(const std::vector<uint64_t>& bodies, CalibrationDepth depth);
  Status Finish() { return parts_.params.Restore(); }
  // For Run(): see CalibratorParts.
  void SetOutOfTime(std::function<bool()> out_of_time) {
    parts_.out_of_time = std::move(out_of_time);
  }

 private:
  Result<guests::GuestResult> RunGuest(const guests::GuestRequest& request,
                                       guests::GuestObserver& observer);
  [[nodiscard]] guests::GuestRequest RequestOf(const std::string& payload, uint64_t iterations,
                                               uint64_t body_loops) const;
  Result<Calibration> Measure(uint64_t body_loops);
  Result<bool> Fires(const LoopCliff& loop, uint64_t gap, host::ObserverPair& observers);
  // The first gap of one loop, or why it is not known.
  Status SearchFirstGap(LoopCliff& loop, host::ObserverPair& observers);
  // PLE is off, the module is in use, or no time is left; empty when none is so.
  Result<std::string> WhyNotToTry(double interval_tsc_cycles);
  Status MeasureCliffs(CalibrationReport& report);
  Status MeasureObservers(CalibrationReport& report);
  // The fastest of some storms of PAUSE exits under `observers`; null: nobody watches.
  Result<double> StormTscCycles(host::ObserverPair* observers, uint64_t& exits);

  CalibratorParts parts_;
};

}  // namespace plectl::experiment
