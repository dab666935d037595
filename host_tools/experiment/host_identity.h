// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/result.h"
#include "host_tools/experiment/run_log.h"

namespace plectl::experiment {

// A run belongs to one host: BadInput, naming what differs, when two sessions of a run were
// measured on different CPUs, microcodes, kernels or labs, or with different observers. Parameters
// and settings that come and go (cgroup, governor) are not identity.
Status CheckSameHost(const Manifest& before, const Manifest& now);

}  // namespace plectl::experiment
