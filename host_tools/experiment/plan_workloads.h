// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/yaml_tree.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/payload_image.h"

namespace plectl::experiment {

// The plan's `workloads`: for each entry every combination of its values, the first key slowest
// (keys, ranges and defaults: docs/plan_format.md). Refuses what guests::CheckWorkload() refuses
// for `payloads`, and a workload that an earlier one repeats.
Result<std::vector<guests::Workload>> ReadWorkloads(const YamlNode& workloads,
                                                    const guests::PayloadImage& payloads);

}  // namespace plectl::experiment
