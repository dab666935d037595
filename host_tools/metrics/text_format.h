// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

namespace plectl::metrics {

// Prometheus' text format 0.0.4, by prometheus-cpp's serializer: what textfile collector and
// Pushgateway take, and what an endpoint gives.
std::string TextFormat(std::vector<prometheus::MetricFamily> families);

// prometheus-cpp 1.0 writes help texts as they are: escapes what would end the line there, and
// what is no UTF-8 anywhere (Prometheus throws away a whole scrape for one such byte).
void EscapeForText(std::vector<prometheus::MetricFamily>& families);

}  // namespace plectl::metrics
