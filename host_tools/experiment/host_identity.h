// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/result.h"
#include "host_tools/experiment/manifest.h"

namespace plectl::experiment {

// Whether the sessions of a run may come from labs that differ in their seed: only when its plan
// has lab_seeds, and each record says which one it is of.
enum class LabSeedRule { kSame, kMayDiffer };

// A run belongs to one host: BadInput, naming what differs, when two sessions of a run were
// measured on different CPUs, microcodes, kernels or labs, or with different observers. Parameters
// and settings that come and go are no identity: same_settings.h.
Status CheckSameHost(const Manifest& before, const Manifest& now,
                     LabSeedRule lab_seed = LabSeedRule::kSame);

// The same before anything is measured, or when nothing is left to be: `host` is a fingerprint, or
// the part of one that is known of a host not yet started. What it does not say is not compared.
Status CheckSameHost(const Manifest& before, const nlohmann::json& host, LabSeedRule lab_seed);

}  // namespace plectl::experiment
