// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host_tools/analysis/quantity.h"
#include "host_tools/base/count.h"

namespace plectl::analysis {

enum class SettingKind { kWorkload, kParam };

// One setting of a point: "vcpus" = "2", "ple_gap" = "128".
struct Setting {
  SettingKind kind = SettingKind::kWorkload;
  std::string name;
  std::string value;
  friend bool operator==(const Setting&, const Setting&) = default;
};

// What pause_storm measured, added up over the vCPUs (docs/run_format.md, "extra").
struct StormTotals {
  uint64_t full_runs = 0;             // loops that only the window can have cut
  uint64_t full_runs_tsc_cycles = 0;  // their lengths together
  uint64_t interval_tsc_cycles = 0;   // the sum of the vCPUs' PAUSE intervals
  uint64_t vcpus = 0;                 // how many vCPUs measured; at least 1
};

// One valid trial, in the terms of this folder.
struct TrialSample {
  std::vector<Setting> settings;  // the point; in the same order for every trial
  std::string arm;
  std::optional<uint64_t> lab_seed;  // which replicate it is of; not part of the point
  double throughput_per_s = 0;
  Count pause_exits = Count::Missing("not measured");
  Count window_updates = Count::Missing("not measured");
  uint64_t acquisitions = 0;  // of all vCPUs; 0: the payload takes no lock
  std::optional<double> fairness_jain;
  std::optional<uint64_t> wait_p99_tsc_cycles;
  std::optional<double> contended_share;  // of acquisitions; of payloads that need contention
  std::optional<double> overlap_share;    // of time; the same
  std::optional<StormTotals> storm;
  std::string ple_off_because;
  bool disturbed = false;      // by the host, and kept all the same
  bool not_contended = false;  // its payload needs contention, and had none
};

// The quantities of one trial.
PerQuantity<Reading> ReadingsOf(const TrialSample& sample);

// A quantity over the trials of a group: what it was, or why that is not known. One missing reading
// makes the whole quantity missing: figures of different trials must not stand side by side.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};
struct QuantitySummary {
  std::optional<Spread> spread;
  std::string missing_because;
};

// All valid trials of one point and arm, of every block and lab seed.
struct Group {
  std::vector<Setting> settings;
  std::string arm;
  size_t trials = 0;
  size_t disturbed = 0;      // of them
  size_t not_contended = 0;  // of them: their figures say nothing about the lock
  size_t lab_seeds = 0;      // different ones; 0 when the plan names none
  PerQuantity<QuantitySummary> quantities;
  std::string ple_off_because;
};

// The middle value, or the mean of the two middle ones. `values` is not empty.
double Median(std::vector<double> values);

// How many different lab seeds the samples name.
size_t CountLabSeeds(std::span<const TrialSample> samples);

// Summarises trials one by one, and keeps nothing of each but its figures.
class Summarizer {
 public:
  // The number of the group that `key` and `arm` name, a new one if there is none. It shows
  // `settings`, which may differ from the key; where they differ from what it showed so far, it
  // shows kAnyValue.
  size_t GroupOf(const std::vector<Setting>& key, const std::string& arm,
                 const std::vector<Setting>& settings);
  // A trial of that group; its own settings and arm are not looked at.
  void Add(size_t group, const TrialSample& sample);
  // As Summarize().
  [[nodiscard]] std::vector<Group> Groups() const;
  // How many different lab seeds there are.
  [[nodiscard]] size_t lab_seeds() const { return lab_seeds_.size(); }

 private:
  // A finite value, or the number of the reason why there is none.
  struct Figure {
    double value = 0;
    uint32_t reason = 0;  // 0: none
  };
  struct Members {
    std::vector<Setting> key;
    Group group;  // but for what its figures say
    std::vector<PerQuantity<Figure>> figures;
    std::set<uint64_t> lab_seeds;
  };
  uint32_t NumberOf(const std::string& reason);
  [[nodiscard]] QuantitySummary SummaryOf(const Members& members, Quantity quantity) const;

  std::vector<Members> members_;
  std::map<std::pair<std::vector<std::string>, std::string>, size_t> numbers_;
  std::vector<std::string> reasons_{""};
  std::map<std::string, uint32_t, std::less<>> reason_numbers_;
  std::set<uint64_t> lab_seeds_;
};
// What a group shows in place of a value that its trials differ in.
inline constexpr const char* kAnyValue = "any";

// Groups by point and arm, sorted by the settings in their order (numbers as numbers), then by arm:
// "pause", "nop", others.
std::vector<Group> Summarize(std::span<const TrialSample> samples);

}  // namespace plectl::analysis
