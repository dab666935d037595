// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/metrics_builder.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace plectl::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

ClientMetric& NewSample(MetricFamily& family, Labels labels) {
  ClientMetric& sample = family.metric.emplace_back();
  sample.label = std::move(labels);
  return sample;
}

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

MetricFamily& MetricsBuilder::Gauge(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), MetricType::Gauge);
}

MetricFamily& MetricsBuilder::Counter(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), MetricType::Counter);
}

MetricFamily& MetricsBuilder::Histogram(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), MetricType::Histogram);
}

MetricFamily& MetricsBuilder::Summary(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), MetricType::Summary);
}

MetricFamily& MetricsBuilder::Family(std::string name, std::string help, MetricType type) {
  MetricFamily*& known = by_name_[name];
  if (known == nullptr) {
    known = &families_.emplace_back(MetricFamily{std::move(name), std::move(help), type, {}});
  }
  return *known;
}

std::vector<MetricFamily> MetricsBuilder::Take() {
  std::vector<MetricFamily> families;
  for (MetricFamily& family : families_) {
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  families_.clear();
  by_name_.clear();
  return families;
}

void AddSample(MetricFamily& family, Labels labels, double value) {
  ClientMetric& sample = NewSample(family, std::move(labels));
  if (family.type == MetricType::Counter) {
    sample.counter.value = value;
  } else {
    sample.gauge.value = value;
  }
}

void AddHistogram(MetricFamily& family, Labels labels, std::span<const double> bounds,
                  std::span<const uint64_t> counts, double sum) {
  ClientMetric::Histogram& histogram = NewSample(family, std::move(labels)).histogram;
  uint64_t count = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    count += counts[i];
    histogram.bucket.push_back({count, bounds[i]});
  }
  histogram.sample_count = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  histogram.sample_sum = sum;
}

void AddSummary(MetricFamily& family, Labels labels, std::vector<ClientMetric::Quantile> quantiles,
                uint64_t count, double sum) {
  ClientMetric::Summary& summary = NewSample(family, std::move(labels)).summary;
  summary.quantile = std::move(quantiles);
  summary.sample_count = count;
  summary.sample_sum = sum;
}

bool IsLabelName(std::string_view name) {
  return !name.empty() && IsLetter(name.front()) && !name.starts_with("__") &&
         std::ranges::all_of(name, [](char c) { return IsLetter(c) || IsDigit(c); });
}

}  // namespace plectl::metrics
