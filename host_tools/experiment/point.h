// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "host_tools/experiment/plan.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/host/module_params.h"

namespace plectl::experiment {

// What a trial measured: a point and its arm, without blocks and lab seeds, which repeat it.
struct PointArm {
  guests::Workload workload;
  host::ParamValues params;
  Arm arm = Arm::kPause;
  friend bool operator==(const PointArm&, const PointArm&) = default;
};

// Of the settings that plans sweep most. The same for equal parts of a PointArm.
size_t HashOfPointArm(const guests::Workload& workload, const host::ParamValues& params, Arm arm);

// For containers with many of them.
struct PointArmHash {
  size_t operator()(const PointArm& point) const {
    return HashOfPointArm(point.workload, point.params, point.arm);
  }
};
struct WorkloadHash {
  size_t operator()(const guests::Workload& workload) const;
};

}  // namespace plectl::experiment
