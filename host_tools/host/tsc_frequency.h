// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "host_tools/base/count.h"

namespace plectl::host {

// The running kernel's TSC frequency in kHz, from the clock conversion that it publishes in the
// page of any perf event (struct perf_event_mmap_page, cap_user_time). Missing where the kernel
// does not trust its TSC, runs on a paravirtual clock, or allows no perf event.
Count TscKhz();

// The frequency behind the kernel's conversion ns = cycles * multiplier >> shift
// (arch/x86/kernel/tsc.c), to the nearest kHz. `multiplier` is not 0, `shift` at most 32.
uint64_t TscKhzFromConversion(uint32_t multiplier, unsigned shift);

}  // namespace plectl::host
