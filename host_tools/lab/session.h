// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/result.h"
#include "host_tools/lab/engine.h"
#include "host_tools/lab/lab.h"

namespace plectl::lab {

// From a booting (or resumed) engine to its end: hands the frames to the observer and watches over
// deadlines, panic, reboot and stop requests. The errors are RunInLab()'s. On an error the engine
// may still run; its destructor ends it.
Result<LabOutcome> RunSession(Engine& engine, const LabOptions& options, LabObserver& observer,
                              std::string_view job = "");

// From a booting engine to the agent's kReady. The errors are the same.
Status AwaitReady(Engine& engine, const LabOptions& options, LabObserver& observer);

}  // namespace plectl::lab
