// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/metrics/metrics_server.h"
#include "host_tools/monitor/monitor.h"
#include "host_tools/monitor/signals.h"

namespace plectl::monitor {

// Gives up what the monitor does not use once its probes are attached, in two steps. It uses
// CAP_BPF and CAP_PERFMON to attach them again, with kPeriodic CAP_SYS_ADMIN, and without probes
// none.
class Privileges {
 public:
  explicit Privileges(const MonitorOptions& options);

  // All capabilities but those, and what the second step takes. Before any thread is started.
  Status GiveUpMost() const;
  // Once root's files have been read: a process of root's becomes nobody's. Empty, or why it stays
  // root's.
  Result<std::string> GiveUpRoot() const;

 private:
  std::vector<int> needed_;
};

// Serves scrapes until SIGTERM or SIGINT, and obeys the other signals (docs/metrics.md). Tells
// systemd how it is. Logs to stderr.
Status Serve(const std::shared_ptr<Monitor>& monitor, Signals& signals,
             const metrics::ServerOptions& options, const MonitorOptions& watched);

}  // namespace plectl::monitor
