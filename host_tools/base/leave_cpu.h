// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace plectl {

// Returns after the calling thread has left its CPU at least once, for a microsecond and more. The
// kernel adds the time that a task ran to its CPU's in /proc/schedstat only when another task or
// idle follows it there (sched_info_switch() in kernel/sched/stats.h).
void LeaveCpu();

}  // namespace plectl
