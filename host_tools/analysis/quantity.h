// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace plectl::analysis {

// What a trial is judged by.
enum class Quantity {
  kThroughput,
  kPauseExits,
  kExitsPerAcquisition,
  kWindowUpdates,
  kFairness,         // Jain's index of the vCPUs' rates
  kWaitP99,          // of the waits of all vCPUs
  kContended,        // which share of the acquisitions had to wait
  kOverlap,          // in which share of the time two or more vCPUs were at work
  kEffectiveWindow,  // pause_storm: how long a loop really ran until the window cut it
  kPauseInterval,    // pause_storm: from one PAUSE to the next, as the guest measures it
};
inline constexpr std::array kQuantities = {
    Quantity::kThroughput,    Quantity::kPauseExits, Quantity::kExitsPerAcquisition,
    Quantity::kWindowUpdates, Quantity::kFairness,   Quantity::kWaitP99,
    Quantity::kContended,     Quantity::kOverlap,    Quantity::kEffectiveWindow,
    Quantity::kPauseInterval};

// The name in files, its unit last: "throughput_per_s", "effective_window_tsc_cycles", ...
std::string_view QuantityName(Quantity quantity);
// The heading in tables: "throughput/s", ...
std::string_view QuantityTitle(Quantity quantity);

// One value per quantity.
template <class T>
class PerQuantity {
 public:
  T& operator[](Quantity quantity) { return values_[static_cast<size_t>(quantity)]; }
  const T& operator[](Quantity quantity) const { return values_[static_cast<size_t>(quantity)]; }

 private:
  std::array<T, kQuantities.size()> values_{};
};

// A quantity of one trial: a finite value, or why there is none.
struct Reading {
  std::optional<double> value;
  std::string missing_because;
};

}  // namespace plectl::analysis
