// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/experiment/trial_record.h"
#include "host_tools/metrics/metrics_builder.h"

namespace plectl::output {

// A short name of the point of a trial: the same in every run, and for every block, arm and lab
// seed.
std::string PointName(const experiment::TrialRecord& trial);

// The workload and the parameters of a trial as labels. A name that no label can have, or that was
// there already, is left out.
metrics::Labels PointLabels(const experiment::TrialRecord& trial);

// The figures of one trial, all with the same labels. `records` is how many the log has of it; of
// an invalid one nothing else is told. What is missing has no sample, but is named by
// plectl_trial_missing.
std::vector<prometheus::MetricFamily> TrialMetrics(std::string_view run,
                                                   const experiment::TrialRecord& trial,
                                                   uint32_t records);

}  // namespace plectl::output
