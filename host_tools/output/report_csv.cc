// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "host_tools/output/report_format.h"

namespace plectl::output {
namespace {

using analysis::Group;

// A field as RFC 4180 section 2 wants it: quoted when it holds a comma, a quote or a line break.
std::string Field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string Line(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) {
    if (&field != &fields.front()) line += ',';
    line += Field(field);
  }
  return line + "\r\n";
}

// Fixed settings too: a CSV file stands alone.
std::vector<std::string> SettingNames(const Report& report) {
  std::vector<std::string> names;
  for (const Group& group : report.groups) {
    for (const analysis::Setting& setting : group.settings) {
      if (std::ranges::find(names, setting.name) == names.end()) names.push_back(setting.name);
    }
  }
  return names;
}

std::vector<std::string> Header(const std::vector<std::string>& setting_names) {
  std::vector<std::string> header = {"plan", "seed"};
  header.insert(header.end(), setting_names.begin(), setting_names.end());
  header.insert(header.end(), {"arm", "trials"});
  for (const analysis::Quantity quantity : analysis::kQuantities) {
    for (const char* part : {"median", "min", "max", "missing_because"}) {
      header.push_back(fmt::format("{}_{}", analysis::QuantityName(quantity), part));
    }
  }
  header.insert(header.end(), {"disturbed", "ple_off_because", "lab_seeds", "lab",
                               "run_trials_valid", "run_trials_planned", "not_contended"});
  return header;
}

// Without a loss: the shortest text that reads back as the same number.
void AddSummary(const analysis::QuantitySummary& summary, std::vector<std::string>& fields) {
  if (!summary.spread) {
    fields.insert(fields.end(), {"", "", "", summary.missing_because});
    return;
  }
  for (const double value : {summary.spread->median, summary.spread->min, summary.spread->max}) {
    fields.push_back(fmt::format("{}", value));
  }
  fields.emplace_back();
}

std::vector<std::string> Row(const Report& report, const Group& group,
                             const std::vector<std::string>& setting_names) {
  std::vector<std::string> fields = {report.plan, std::to_string(report.seed)};
  for (const std::string& name : setting_names) fields.emplace_back(SettingValue(group, name));
  fields.push_back(group.arm);
  fields.push_back(std::to_string(group.trials));
  for (const analysis::Quantity quantity : analysis::kQuantities) {
    AddSummary(group.quantities[quantity], fields);
  }
  fields.push_back(std::to_string(group.disturbed));
  fields.push_back(group.ple_off_because);
  fields.push_back(std::to_string(group.lab_seeds));
  fields.push_back(report.lab);
  fields.push_back(std::to_string(report.trials_valid));
  fields.push_back(report.trials_planned ? std::to_string(*report.trials_planned) : "");
  fields.push_back(std::to_string(group.not_contended));
  return fields;
}

class CsvFormat : public ReportFormat {
 public:
  [[nodiscard]] std::string Render(const Report& report) const override {
    const std::vector<std::string> names = SettingNames(report);
    std::string text = Line(Header(names));
    for (const Group& group : report.groups) text += Line(Row(report, group, names));
    return text;
  }
};

}  // namespace

std::unique_ptr<ReportFormat> MakeCsvFormat() { return std::make_unique<CsvFormat>(); }

}  // namespace plectl::output
