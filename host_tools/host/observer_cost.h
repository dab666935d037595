// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "host_tools/base/count.h"

namespace plectl::host {

// What observers add to each exit: instructions, as bench/observer_effect counts them in the lab
// (docs/observer_effect.md). They tell how observers compare, not how long an exit takes longer.
struct ObserverCost {
  Count per_pause_exit = Count::Missing("not measured");
  Count per_other_exit = Count::Missing("not measured");
};

// Of the observers that a manifest names; missing for a combination that nobody has measured.
ObserverCost CostInLab(std::span<const std::string> observers);

}  // namespace plectl::host
