// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "host_tools/analysis/summary.h"
#include "host_tools/output/export_format.h"
#include "host_tools/output/gbench_context.h"
#include "host_tools/output/gbench_point.h"

namespace plectl::output {
namespace {

using Json = nlohmann::ordered_json;  // in the order in which Google Benchmark writes

// What repetitions and aggregates begin with.
Json Head(const GbenchPoint& point, size_t family, const std::string& suffix) {
  return {{"name", point.name + suffix},
          {"family_index", family},
          {"per_family_instance_index", 0},
          {"run_name", point.name}};
}

Json RepetitionEntry(const GbenchPoint& point, size_t family, size_t index) {
  const GbenchRepetition& repetition = point.repetitions[index];
  Json entry = Head(point, family, "");
  entry["run_type"] = "iteration";
  entry["repetitions"] = point.repetitions.size();
  entry["repetition_index"] = index;
  entry["threads"] = point.vcpus;
  entry["iterations"] = repetition.work;
  entry["real_time"] = repetition.real_time_ns;
  entry["cpu_time"] = repetition.cpu_time_ns;
  entry["time_unit"] = "ns";
  for (const auto& [name, value] : repetition.counters) entry[name] = value;
  entry["label"] = repetition.label;
  return entry;
}

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Of a sample: divided by one less than its size. `values` has at least two.
double Stddev(const std::vector<double>& values) {
  const double mean = Mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

// What never differs does not vary, also where the mean is 0.
double Cv(const std::vector<double>& values) {
  const double stddev = Stddev(values);
  return stddev == 0 ? 0 : stddev / Mean(values);
}

struct Aggregate {
  const char* name;
  const char* unit;
  double (*of)(const std::vector<double>& values);
};
constexpr Aggregate kAggregates[] = {
    {"mean", "time", Mean},
    {"median", "time", [](const std::vector<double>& values) { return analysis::Median(values); }},
    {"stddev", "time", Stddev},
    {"cv", "percentage", Cv},
};

template <class Getter>
std::vector<double> Each(const GbenchPoint& point, Getter get) {
  std::vector<double> values;
  for (const GbenchRepetition& repetition : point.repetitions) {
    values.push_back(std::invoke(get, repetition));
  }
  return values;
}

// Of the counters that no repetition lacks: figures of different trials must not stand side by
// side.
void AddCounters(const GbenchPoint& point, const Aggregate& aggregate, Json& entry) {
  for (const auto& [name, first] : point.repetitions.front().counters) {
    std::vector<double> values;
    for (const GbenchRepetition& repetition : point.repetitions) {
      const auto found = repetition.counters.find(name);
      if (found != repetition.counters.end()) values.push_back(found->second);
    }
    if (values.size() == point.repetitions.size()) entry[name] = aggregate.of(values);
  }
}

Json AggregateEntry(const GbenchPoint& point, size_t family, const Aggregate& aggregate) {
  Json entry = Head(point, family, fmt::format("_{}", aggregate.name));
  entry["run_type"] = "aggregate";
  entry["repetitions"] = point.repetitions.size();
  entry["threads"] = point.vcpus;
  entry["aggregate_name"] = aggregate.name;
  entry["aggregate_unit"] = aggregate.unit;
  entry["iterations"] = point.repetitions.size();
  entry["real_time"] = aggregate.of(Each(point, &GbenchRepetition::real_time_ns));
  entry["cpu_time"] = aggregate.of(Each(point, &GbenchRepetition::cpu_time_ns));
  entry["time_unit"] = "ns";
  AddCounters(point, aggregate, entry);
  return entry;
}

class GbenchFormat : public ExportFormat {
 public:
  [[nodiscard]] std::string Render(const experiment::RunLog& log) const override {
    const GbenchPoints points = MakeGbenchPoints(log.trials);
    Json benchmarks = Json::array();
    for (size_t family = 0; family < points.points.size(); ++family) {
      const GbenchPoint& point = points.points[family];
      for (size_t index = 0; index < point.repetitions.size(); ++index) {
        benchmarks.push_back(RepetitionEntry(point, family, index));
      }
      if (point.repetitions.size() < 2) continue;
      for (const Aggregate& aggregate : kAggregates) {
        benchmarks.push_back(AggregateEntry(point, family, aggregate));
      }
    }
    const Json whole = {{"context", GbenchContext(log, points)}, {"benchmarks", benchmarks}};
    return whole.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
  }
};

}  // namespace

std::unique_ptr<ExportFormat> MakeGbenchFormat() { return std::make_unique<GbenchFormat>(); }

}  // namespace plectl::output
