// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

namespace plectl::metrics {

// OpenMetrics 1.0 text: a counter's family is named without "_total", a gauge named "..._info" is
// of type info, and the last line is "# EOF". Counters that are not named "..._total" are of type
// unknown.
std::string OpenMetricsText(const std::vector<prometheus::MetricFamily>& families);

}  // namespace plectl::metrics
