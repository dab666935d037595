// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <optional>

#include "host_tools/base/text.h"
#include "host_tools/output/report_format.h"

namespace plectl::output {
namespace {

using analysis::Group;
using analysis::Setting;
using analysis::SettingKind;
using nlohmann::json;

constexpr int kReportSchema = 1;

// Numbers as numbers, so that a reader need not parse text.
json ValueToJson(const std::string& value) {
  const std::optional<uint64_t> number = ParseUint(value);
  return number && std::to_string(*number) == value ? json(*number) : json(value);
}

json SettingsToJson(const std::vector<Setting>& settings, SettingKind kind) {
  json object = json::object();
  for (const Setting& setting : settings) {
    if (setting.kind == kind) object[setting.name] = ValueToJson(setting.value);
  }
  return object;
}

json SummaryToJson(const analysis::QuantitySummary& summary) {
  if (!summary.spread) return {{"missing_because", summary.missing_because}};
  return {{"median", summary.spread->median},
          {"min", summary.spread->min},
          {"max", summary.spread->max}};
}

json GroupToJson(const Group& group) {
  json object = {{"workload", SettingsToJson(group.settings, SettingKind::kWorkload)},
                 {"params", SettingsToJson(group.settings, SettingKind::kParam)},
                 {"arm", group.arm},
                 {"trials", group.trials},
                 {"disturbed", group.disturbed},
                 {"not_contended", group.not_contended},
                 {"lab_seeds", group.lab_seeds}};
  for (const analysis::Quantity quantity : analysis::kQuantities) {
    object[std::string(analysis::QuantityName(quantity))] =
        SummaryToJson(group.quantities[quantity]);
  }
  if (!group.ple_off_because.empty()) object["ple_off_because"] = group.ple_off_because;
  return object;
}

json InvalidToJson(const Report& report) {
  json list = json::array();
  for (const auto& [reason, count] : report.invalid) {
    const auto ids = report.invalid_ids.find(reason);
    list.push_back({{"invalid_because", reason},
                    {"records", count},
                    {"trials", ids == report.invalid_ids.end() ? count : ids->second.size()}});
  }
  return list;
}

// Null where it is not known.
json CompleteToJson(const Report& report) {
  const Completeness completeness = CompletenessOf(report);
  if (completeness == Completeness::kUnknown) return nullptr;
  return completeness == Completeness::kComplete;
}

class JsonFormat : public ReportFormat {
 public:
  [[nodiscard]] std::string Render(const Report& report) const override {
    json groups = json::array();
    for (const Group& group : report.groups) groups.push_back(GroupToJson(group));
    const json object = {
        {"kind", "report"},
        {"schema", kReportSchema},
        {"run", report.run},
        {"plan", report.plan},
        {"plan_sha256", report.plan_sha256},
        {"seed", report.seed},
        {"plectl_version", report.plectl_version},
        {"observers", report.observers},
        {"host", report.host},
        {"lab", report.lab.empty() ? json() : json(report.lab)},
        {"trials_valid", report.trials_valid},
        {"trials_planned", report.trials_planned ? json(*report.trials_planned) : json()},
        {"complete", CompleteToJson(report)},
        {"trials_disturbed", report.trials_disturbed},
        {"trials_not_contended", report.trials_not_contended},
        {"lab_seeds", report.lab_seeds},
        {"groups", groups},
        {"invalid", InvalidToJson(report)},
        {"notes", report.notes}};
    return object.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
  }
};

}  // namespace

std::unique_ptr<ReportFormat> MakeJsonFormat() { return std::make_unique<JsonFormat>(); }

}  // namespace plectl::output
