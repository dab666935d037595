// SPDX-License-Identifier: Apache-2.0
// What a scrape of the monitor holds: docs/metrics.md. Pure functions of the state; a figure that
// is not known gives no sample, never a 0.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <span>
#include <vector>

#include "host_tools/metrics/metrics_builder.h"
#include "host_tools/monitor/monitor_state.h"

namespace plectl::monitor {

std::vector<prometheus::MetricFamily> MonitorFamilies(const HostRoot& root,
                                                      const MonitorState& state,
                                                      const OwnState& own);
// Only what the monitor knows of itself.
std::vector<prometheus::MetricFamily> OwnFamilies(const HostRoot& root, const OwnState& own);

// Their parts.
void AddVmMetrics(const MonitorState& state, metrics::MetricsBuilder& builder);
void AddVcpuMetrics(const MonitorState& state, metrics::MetricsBuilder& builder);
void AddHostMetrics(const MonitorState& state, metrics::MetricsBuilder& builder);
void AddModuleMetrics(const ModuleWatch& modules, metrics::MetricsBuilder& builder);
void AddOwnMetrics(const HostRoot& root, const OwnState& own, metrics::MetricsBuilder& builder);

// A histogram of the kernel's as one of every second of its bounds: 0.5 us, 2 us, ... 0.5 s.
void AddTimes(prometheus::MetricFamily& family, metrics::Labels labels, const TimeHistogram& times);

}  // namespace plectl::monitor
