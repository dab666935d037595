// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host_tools/experiment/plan.h"
#include "host_tools/experiment/run_log.h"

namespace plectl::bench {

// Input of any size, like what plectl meets.

// A valid record with every count set. Records of different `number` are of different trials, of
// which four share a point and arm.
experiment::TrialRecord SampleTrial(uint64_t number, uint32_t vcpus = 2);

experiment::Manifest SampleManifest();

// The whole text of a run log of so many trials.
std::string SampleRunLog(uint64_t trials);

// A plan with so many parameter sets, 2 workloads, 2 arms and 3 blocks.
experiment::Plan SamplePlan(uint64_t param_sets);

// A plan file with so many entries under `workloads`.
std::string SamplePlanText(uint64_t workloads);

// An ELF with so many segments (1 to 64) of 4 KiB, from 1 MiB on.
std::vector<uint8_t> SampleElf(uint16_t segments);

}  // namespace plectl::bench
