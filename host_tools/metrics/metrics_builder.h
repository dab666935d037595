// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace plectl::metrics {

using Label = prometheus::ClientMetric::Label;
using Labels = std::vector<Label>;

// Makes metric families, in the order in which they are named. Names, help texts and label values
// are given as they are: escaping is for the serializers.
//
//   MetricsBuilder builder;
//   prometheus::MetricFamily& exits = builder.Counter("plectl_vm_exits_total", "VM exits (KVM)");
//   AddSample(exits, {{"vm", "a"}, {"reason", "HLT"}}, 17);
//   return builder.Take();
class MetricsBuilder {
 public:
  // A new family, or the one of that name. The reference is good until Take().
  prometheus::MetricFamily& Gauge(std::string name, std::string help);
  prometheus::MetricFamily& Counter(std::string name, std::string help);
  prometheus::MetricFamily& Histogram(std::string name, std::string help);
  prometheus::MetricFamily& Summary(std::string name, std::string help);

  // All families that have a sample; the builder is empty then.
  std::vector<prometheus::MetricFamily> Take();

 private:
  prometheus::MetricFamily& Family(std::string name, std::string help, prometheus::MetricType type);

  std::deque<prometheus::MetricFamily> families_;
  std::unordered_map<std::string, prometheus::MetricFamily*> by_name_;
};

// Adds a sample to a gauge or a counter.
void AddSample(prometheus::MetricFamily& family, Labels labels, double value);

// Adds a sample to a histogram. `bounds` ascend, without +Inf; `counts` are of each bucket alone,
// not cumulative, and one more than the bounds.
void AddHistogram(prometheus::MetricFamily& family, Labels labels, std::span<const double> bounds,
                  std::span<const uint64_t> counts, double sum);

// Adds a sample to a summary; count and sum are of everything that was observed.
void AddSummary(prometheus::MetricFamily& family, Labels labels,
                std::vector<prometheus::ClientMetric::Quantile> quantiles, uint64_t count,
                double sum);

// Whether `name` can be a label's: [a-zA-Z_][a-zA-Z0-9_]*, not beginning with "__".
bool IsLabelName(std::string_view name);

}  // namespace plectl::metrics
