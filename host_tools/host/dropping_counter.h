// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "host_tools/host/exit_counter.h"

namespace plectl::host {

// Fault injection: `counter`, made to forget every `nth` PAUSE exit of each vCPU without knowing
// that it does. Its name says so, and thus the run log. `nth` is at least 1.
std::unique_ptr<ExitCounter> DropEveryNth(uint64_t nth, std::unique_ptr<ExitCounter> counter);

}  // namespace plectl::host
