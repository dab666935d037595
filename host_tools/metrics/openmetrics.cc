// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/openmetrics.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <string_view>

#include "host_tools/metrics/escape.h"

namespace plectl::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  return fmt::format("{}", value);
}

// The shortest text, but always with a fraction or exponent: OpenMetrics wants "1.0" for le and
// quantile.
std::string BoundText(double value) {
  std::string text = Number(value);
  if (text.find_first_of(".eIN") == std::string::npos) text += ".0";
  return text;
}

// What a family is in OpenMetrics.
struct FamilyHead {
  std::string_view name;
  std::string_view type;
  std::string_view suffix;  // of its samples
};

FamilyHead HeadOf(const MetricFamily& family) {
  const std::string_view name = family.name;
  const auto without = [name](std::string_view suffix) {
    return name.substr(0, name.size() - suffix.size());
  };
  switch (family.type) {
    case MetricType::Counter:
      if (!name.ends_with("_total")) return {name, "unknown", ""};
      return {without("_total"), "counter", "_total"};
    case MetricType::Gauge:
      if (name.ends_with("_info")) return {without("_info"), "info", "_info"};
      return {name, "gauge", ""};
    case MetricType::Summary:
      return {name, "summary", ""};
    case MetricType::Histogram:
      return {name, "histogram", ""};
    default:
      return {name, "unknown", ""};
  }
}

// Writes the samples of one family.
class SampleWriter {
 public:
  SampleWriter(std::string& text, const FamilyHead& head) : text_(text), head_(head) {}

  void Write(const MetricFamily& family, const ClientMetric& sample) {
    switch (family.type) {
      case MetricType::Counter:
        return Line(sample, head_.suffix, {}, Number(sample.counter.value));
      case MetricType::Summary:
        return WriteSummary(sample);
      case MetricType::Histogram:
        return WriteHistogram(sample);
      case MetricType::Gauge:
        return Line(sample, head_.suffix, {}, Number(sample.gauge.value));
      default:
        return Line(sample, head_.suffix, {}, Number(sample.untyped.value));
    }
  }

 private:
  void WriteSummary(const ClientMetric& sample) {
    for (const ClientMetric::Quantile& quantile : sample.summary.quantile) {
      Line(sample, "", {"quantile", BoundText(quantile.quantile)}, Number(quantile.value));
    }
    Line(sample, "_count", {}, std::to_string(sample.summary.sample_count));
    Line(sample, "_sum", {}, Number(sample.summary.sample_sum));
  }

  void WriteHistogram(const ClientMetric& sample) {
    bool has_infinity = false;
    for (const ClientMetric::Bucket& bucket : sample.histogram.bucket) {
      Line(sample, "_bucket", {"le", BoundText(bucket.upper_bound)},
           std::to_string(bucket.cumulative_count));
      has_infinity = has_infinity || std::isinf(bucket.upper_bound);
    }
    if (!has_infinity) {
      Line(sample, "_bucket", {"le", "+Inf"}, std::to_string(sample.histogram.sample_count));
    }
    Line(sample, "_count", {}, std::to_string(sample.histogram.sample_count));
    Line(sample, "_sum", {}, Number(sample.histogram.sample_sum));
  }

  // `extra` has an empty name when there is none.
  void Line(const ClientMetric& sample, std::string_view suffix, const ClientMetric::Label& extra,
            std::string_view value) {
    text_ += head_.name;
    text_ += suffix;
    std::string_view separator = "{";
    const auto add_label = [&](const ClientMetric::Label& label) {
      fmt::format_to(std::back_inserter(text_), "{}{}=\"{}\"", separator, label.name,
                     EscapeValue(label.value));
      separator = ",";
    };
    for (const ClientMetric::Label& label : sample.label) add_label(label);
    if (!extra.name.empty()) add_label(extra);
    fmt::format_to(std::back_inserter(text_), "{} {}\n", separator == "," ? "}" : "", value);
  }

  std::string& text_;
  const FamilyHead& head_;
};

}  // namespace

std::string OpenMetricsText(const std::vector<MetricFamily>& families) {
  std::string text;
  for (const MetricFamily& family : families) {
    const FamilyHead head = HeadOf(family);
    fmt::format_to(std::back_inserter(text), "# TYPE {} {}\n", head.name, head.type);
    if (!family.help.empty()) {
      fmt::format_to(std::back_inserter(text), "# HELP {} {}\n", head.name,
                     EscapeValue(family.help));
    }
    SampleWriter writer(text, head);
    for (const ClientMetric& sample : family.metric) writer.Write(family, sample);
  }
  return text + "# EOF\n";
}

}  // namespace plectl::metrics
