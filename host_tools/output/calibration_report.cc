// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/calibration_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "host_tools/experiment/json_fields.h"
#include "host_tools/output/text_table.h"

namespace plectl::output {
namespace {

using experiment::CalibrationReport;
using experiment::LoopCliff;
using experiment::ObserverTime;

constexpr double kNsPerMs = 1e6;

double NsOf(double tsc_cycles, const CalibrationReport& report) {
  return tsc_cycles / static_cast<double>(report.calibration.tsc_khz) * kNsPerMs;
}

std::string CountText(const Count& count) {
  return count.has_value() ? std::to_string(count.value()) : "missing";
}

std::string DifferenceText(const LoopCliff& loop) {
  if (!loop.first_gap.has_value()) return "";
  const auto difference =
      static_cast<int64_t>(loop.first_gap.value()) - static_cast<int64_t>(loop.predicted_gap);
  return fmt::format("{:+}", difference);
}

std::string CliffTable(const CalibrationReport& report) {
  TextTable table{{{"loop"},
                   {"body_loops", true},
                   {"PAUSE to PAUSE", true},
                   {fmt::format("first {}: predicted", report.gap_name), true},
                   {"measured", true},
                   {"difference", true}},
                  {}};
  for (const LoopCliff& loop : report.cliffs) {
    table.rows.push_back({loop.loop, std::to_string(loop.body_loops),
                          fmt::format("{:.3f}", loop.interval_tsc_cycles),
                          std::to_string(loop.predicted_gap), CountText(loop.first_gap),
                          DifferenceText(loop)});
  }
  return table.Text();
}

std::string ObserverTable(const CalibrationReport& report) {
  TextTable table{{{"observer"}, {"added per PAUSE exit, TSC cycles", true}, {"ns", true}}, {}};
  for (const ObserverTime& time : report.observers) {
    const bool measured = time.tsc_cycles_per_exit.has_value();
    const double cycles = time.tsc_cycles_per_exit.value_or(0);
    table.rows.push_back({time.observer, measured ? fmt::format("{:.0f}", cycles) : "missing",
                          measured ? fmt::format("{:.0f}", NsOf(cycles, report)) : ""});
  }
  return table.Text();
}

// Each reason once.
std::string MissingText(const CalibrationReport& report) {
  std::string text;
  if (!report.not_tried_because.empty()) {
    text += fmt::format("\nno cliff and no observer measured: {}\n", report.not_tried_because);
  }
  for (const ObserverTime& time : report.observers) {
    if (time.missing_because.empty()) continue;
    text += fmt::format("\nmissing: {}: {}\n", time.observer, time.missing_because);
  }
  return text;
}

nlohmann::json ToJson(const LoopCliff& loop) {
  return {{"loop", loop.loop},
          {"body_loops", loop.body_loops},
          {"interval_tsc_cycles", loop.interval_tsc_cycles},
          {"predicted_gap_tsc_cycles", loop.predicted_gap},
          {"first_gap_tsc_cycles", experiment::ToJson(loop.first_gap)}};
}

nlohmann::json ToJson(const ObserverTime& time, const CalibrationReport& report) {
  nlohmann::json object = {{"observer", time.observer}};
  if (time.tsc_cycles_per_exit) {
    object["tsc_cycles_per_pause_exit"] = *time.tsc_cycles_per_exit;
    object["ns_per_pause_exit"] = NsOf(*time.tsc_cycles_per_exit, report);
  } else {
    object["missing_because"] = time.missing_because;
  }
  return object;
}

}  // namespace

std::string CalibrationText(const CalibrationReport& report) {
  std::string text =
      fmt::format("PAUSE: {:.3f} TSC cycles ({:.2f} ns)\n\n{}", report.calibration.pause_tsc_cycles,
                  NsOf(report.calibration.pause_tsc_cycles, report), CliffTable(report));
  if (!report.cannot_fire_because.empty()) {
    text += fmt::format("\n{}\n", report.cannot_fire_because);
  }
  if (!report.observers.empty()) text += fmt::format("\n{}", ObserverTable(report));
  return text + MissingText(report);
}

std::string CalibrationJson(const CalibrationReport& report) {
  nlohmann::json object = {{"kind", "calibration"},
                           {"gap", report.gap_name},
                           {"calibration", experiment::ToJson(report.calibration)},
                           {"loops", nlohmann::json::array()},
                           {"observers", nlohmann::json::array()}};
  for (const LoopCliff& loop : report.cliffs) object["loops"].push_back(ToJson(loop));
  for (const ObserverTime& time : report.observers) {
    object["observers"].push_back(ToJson(time, report));
  }
  if (!report.cannot_fire_because.empty()) {
    object["cannot_fire_because"] = report.cannot_fire_because;
  }
  if (!report.not_tried_because.empty()) object["not_tried_because"] = report.not_tried_because;
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace plectl::output
