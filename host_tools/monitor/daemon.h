// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host_tools/base/result.h"
#include "host_tools/metrics/metrics_server.h"
#include "host_tools/monitor/monitor.h"
#include "host_tools/monitor/signals.h"

namespace plectl::monitor {

// Gives up all capabilities but CAP_BPF and CAP_PERFMON, and for kPeriodic CAP_SYS_ADMIN. Before
// any thread is started.
Status KeepOnlyNeeded(ProbeStatistics statistics);

// Serves scrapes until SIGTERM or SIGINT, and obeys the other signals (docs/metrics.md). Tells
// systemd how it is. Logs to stderr.
Status Serve(const std::shared_ptr<Monitor>& monitor, Signals& signals,
             const metrics::ServerOptions& options, bool probes);

}  // namespace plectl::monitor
