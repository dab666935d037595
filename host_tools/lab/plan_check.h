// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "host_tools/base/result.h"
#include "host_tools/experiment/plan.h"
#include "host_tools/lab/engine_facts.h"
#include "host_tools/lab/lab_config.h"

namespace plectl::lab {

// How many CPUs a lab must have for `plan`: 1, 2 or 4. BadInput when it wants more.
Result<uint32_t> CpusFor(const experiment::Plan& plan);
// BadInput when `plan` uses CPUs that a lab of these options does not have.
Status CheckLabCpus(const experiment::Plan& plan, const LabOptions& options);

// Environment error, with the reason and what to do instead, when the emulator cannot do what
// `plan` asks: above all a spin with interrupts off that nothing would end, which would freeze the
// whole lab. BadInput for CPUs that the lab does not have.
Status CheckPlanForLab(const experiment::Plan& plan, const LabOptions& options,
                       const EngineFacts& facts);

}  // namespace plectl::lab
