// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "host_tools/metrics/metrics_builder.h"
#include "host_tools/metrics/openmetrics.h"
#include "host_tools/metrics/text_format.h"

namespace plectl::metrics {
namespace {

// One of each kind, and all that needs to be escaped.
std::vector<prometheus::MetricFamily> Families() {
  MetricsBuilder builder;
  AddSample(builder.Counter("p_exits_total", "Exits\nby \\ \"KVM\""), {{"vm", "a\"b\\c\nd"}}, 3);
  AddSample(builder.Gauge("p_run_info", "Run"), {{"cpu", "\xFFx"}}, 1);
  AddSample(builder.Gauge("p_ratio", "Ratio"), {}, 0.1);
  AddSample(builder.Gauge("p_ratio", "Ratio"), {{"a", "b"}},
            -std::numeric_limits<double>::infinity());
  constexpr std::array<double, 2> kBounds = {1e-07, 1};
  constexpr std::array<uint64_t, 3> kCounts = {2, 0, 5};
  AddHistogram(builder.Histogram("p_time_seconds", "Time"), {{"a", "b"}}, kBounds, kCounts, 12.5);
  AddSummary(builder.Summary("p_wait_seconds", "Wait"), {}, {{0.5, 1e-9}, {1, 2}}, 7, 3);
  builder.Gauge("p_nothing", "Without a sample");
  return builder.Take();
}

TEST(TextFormat, IsWhatPrometheusReads) {
  EXPECT_EQ(TextFormat(Families()),
            "# HELP p_exits_total Exits\\nby \\\\ \"KVM\"\n"
            "# TYPE p_exits_total counter\n"
            "p_exits_total{vm=\"a\\\"b\\\\c\\nd\"} 3\n"
            "# HELP p_run_info Run\n"
            "# TYPE p_run_info gauge\n"
            "p_run_info{cpu=\"\xEF\xBF\xBDx\"} 1\n"
            "# HELP p_ratio Ratio\n"
            "# TYPE p_ratio gauge\n"
            "p_ratio 0.1\n"
            "p_ratio{a=\"b\"} -Inf\n"
            "# HELP p_time_seconds Time\n"
            "# TYPE p_time_seconds histogram\n"
            "p_time_seconds_count{a=\"b\"} 7\n"
            "p_time_seconds_sum{a=\"b\"} 12.5\n"
            "p_time_seconds_bucket{a=\"b\",le=\"1e-07\"} 2\n"
            "p_time_seconds_bucket{a=\"b\",le=\"1\"} 2\n"
            "p_time_seconds_bucket{a=\"b\",le=\"+Inf\"} 7\n"
            "# HELP p_wait_seconds Wait\n"
            "# TYPE p_wait_seconds summary\n"
            "p_wait_seconds_count 7\n"
            "p_wait_seconds_sum 3\n"
            "p_wait_seconds{quantile=\"0.5\"} 1e-09\n"
            "p_wait_seconds{quantile=\"1\"} 2\n");
}

TEST(OpenMetrics, NamesFamiliesWithoutTheirSuffix) {
  EXPECT_EQ(OpenMetricsText(Families()),
            "# TYPE p_exits counter\n"
            "# HELP p_exits Exits\\nby \\\\ \\\"KVM\\\"\n"
            "p_exits_total{vm=\"a\\\"b\\\\c\\nd\"} 3\n"
            "# TYPE p_run info\n"
            "# HELP p_run Run\n"
            "p_run_info{cpu=\"\xEF\xBF\xBDx\"} 1\n"
            "# TYPE p_ratio gauge\n"
            "# HELP p_ratio Ratio\n"
            "p_ratio 0.1\n"
            "p_ratio{a=\"b\"} -Inf\n"
            "# TYPE p_time_seconds histogram\n"
            "# HELP p_time_seconds Time\n"
            "p_time_seconds_bucket{a=\"b\",le=\"1e-07\"} 2\n"
            "p_time_seconds_bucket{a=\"b\",le=\"1.0\"} 2\n"
            "p_time_seconds_bucket{a=\"b\",le=\"+Inf\"} 7\n"
            "p_time_seconds_count{a=\"b\"} 7\n"
            "p_time_seconds_sum{a=\"b\"} 12.5\n"
            "# TYPE p_wait_seconds summary\n"
            "# HELP p_wait_seconds Wait\n"
            "p_wait_seconds{quantile=\"0.5\"} 1e-09\n"
            "p_wait_seconds{quantile=\"1.0\"} 2\n"
            "p_wait_seconds_count 7\n"
            "p_wait_seconds_sum 3\n"
            "# EOF\n");
}

TEST(OpenMetrics, OfNothingIsItsEnd) { EXPECT_EQ(OpenMetricsText({}), "# EOF\n"); }

TEST(OpenMetrics, ACounterOfAnotherNameIsUnknown) {
  MetricsBuilder builder;
  AddSample(builder.Counter("p_exits", "Exits"), {}, 3);
  EXPECT_EQ(OpenMetricsText(builder.Take()),
            "# TYPE p_exits unknown\n# HELP p_exits Exits\np_exits 3\n# EOF\n");
}

// Counts are exact as long as a double holds them.
TEST(Formats, KeepEachDigit) {
  MetricsBuilder builder;
  AddSample(builder.Gauge("p", ""), {}, 9007199254740991.0);
  AddSample(builder.Gauge("p", ""), {{"a", "b"}}, 0.1234567890123456);
  const auto families = builder.Take();
  const std::string samples = "p 9007199254740991\np{a=\"b\"} 0.1234567890123456\n";
  EXPECT_EQ(TextFormat(families), "# TYPE p gauge\n" + samples);
  EXPECT_EQ(OpenMetricsText(families), "# TYPE p gauge\n" + samples + "# EOF\n");
}

TEST(MetricsBuilder, GivesAFamilyOncePerNameAndIsEmptyAfterwards) {
  MetricsBuilder builder;
  AddSample(builder.Gauge("a", "A"), {}, 1);
  AddSample(builder.Gauge("b", "B"), {}, 1);
  AddSample(builder.Gauge("a", "another help"), {{"x", "y"}}, 2);
  const auto families = builder.Take();
  ASSERT_EQ(families.size(), 2U);
  EXPECT_EQ(families[0].help, "A");
  EXPECT_EQ(families[0].metric.size(), 2U);
  EXPECT_TRUE(builder.Take().empty());
}

TEST(IsLabelName, FollowsPrometheus) {
  for (const char* name : {"a", "_a", "A9_"}) EXPECT_TRUE(IsLabelName(name)) << name;
  for (const char* name : {"", "9a", "a-b", "__a", "a b", "\xC3\xA4"}) {
    EXPECT_FALSE(IsLabelName(name)) << name;
  }
}

}  // namespace
}  // namespace plectl::metrics
