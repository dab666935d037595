// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "host_tools/output/report_format.h"
#include "host_tools/output/text_table.h"

namespace plectl::output {
namespace {

using analysis::Group;
using analysis::Quantity;

constexpr const char* kSpreadTitle = "min..max";

// Every run is judged by these; the others get a column when a payload measured them.
bool IsAlwaysShown(Quantity quantity) {
  return quantity == Quantity::kThroughput || quantity == Quantity::kPauseExits ||
         quantity == Quantity::kExitsPerAcquisition || quantity == Quantity::kWindowUpdates;
}

std::vector<Quantity> ShownQuantities(const Report& report) {
  std::vector<Quantity> shown;
  for (const Quantity quantity : analysis::kQuantities) {
    const bool measured = std::ranges::any_of(report.groups, [quantity](const Group& group) {
      return group.quantities[quantity].spread.has_value();
    });
    if (measured || IsAlwaysShown(quantity)) shown.push_back(quantity);
  }
  return shown;
}

bool Varies(const analysis::QuantitySummary& summary) {
  return summary.spread && summary.spread->min != summary.spread->max;
}

// A quantity gets a column for its spread when the trials of some row differ in it. Exits per
// acquisition vary as the PAUSE exits do.
bool HasSpreadColumn(const Report& report, Quantity quantity) {
  return quantity != Quantity::kExitsPerAcquisition &&
         std::ranges::any_of(report.groups, [quantity](const Group& group) {
           return Varies(group.quantities[quantity]);
         });
}

std::string MedianCell(const analysis::QuantitySummary& summary) {
  return summary.spread ? ReadableNumber(summary.spread->median) : "missing";
}

// Empty where there is one trial only: that shows no spread.
std::string SpreadCell(const Group& group, Quantity quantity) {
  const analysis::QuantitySummary& summary = group.quantities[quantity];
  if (!summary.spread || group.trials < 2) return "";
  if (!Varies(summary)) return "same";
  return fmt::format("{}..{}", ReadableNumber(summary.spread->min),
                     ReadableNumber(summary.spread->max));
}

std::vector<TextTable::Column> Columns(const Report& report, const std::vector<Quantity>& shown) {
  std::vector<TextTable::Column> columns;
  for (const std::string& name : report.varying) columns.push_back({name, name != "payload"});
  columns.push_back({"arm", false});
  columns.push_back({"trials", true});
  for (const Quantity quantity : shown) {
    columns.push_back({std::string(analysis::QuantityTitle(quantity)), true});
    if (HasSpreadColumn(report, quantity)) columns.push_back({kSpreadTitle, false});
  }
  return columns;
}

TextTable MakeTable(const Report& report, const std::vector<Quantity>& shown) {
  TextTable table{Columns(report, shown), {}};
  for (const Group& group : report.groups) {
    std::vector<std::string> row;
    for (const std::string& name : report.varying) row.emplace_back(SettingValue(group, name));
    row.push_back(group.arm);
    row.push_back(std::to_string(group.trials));
    for (const Quantity quantity : shown) {
      row.push_back(MedianCell(group.quantities[quantity]));
      if (HasSpreadColumn(report, quantity)) row.push_back(SpreadCell(group, quantity));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

// What the figures of a row with several trials are.
std::string SpreadNote(const Report& report) {
  const bool pooled =
      std::ranges::any_of(report.groups, [](const Group& group) { return group.trials > 1; });
  if (!pooled) return "";
  return fmt::format(
      "figures: medians over the trials of a row (blocks{}); {}: from the least to the "
      "most of them\n",
      report.lab_seeds > 0 ? " and lab seeds" : "", kSpreadTitle);
}

// A text field of the host's fingerprint, "" when it is absent or could not be read.
std::string HostText(const Report& report, const char* section, const char* key) {
  const auto pointer = nlohmann::json::json_pointer(fmt::format("/{}/{}", section, key));
  return report.host.contains(pointer) && report.host[pointer].is_string()
             ? report.host[pointer].get<std::string>()
             : "";
}

// "12 of 54 trials, incomplete"; "12 valid trials" where it is not known how many there should be.
std::string TrialsText(const Report& report) {
  const std::string seeds =
      report.lab_seeds == 0
          ? ""
          : fmt::format(" of {} lab seed{}", report.lab_seeds, report.lab_seeds == 1 ? "" : "s");
  const Completeness completeness = CompletenessOf(report);
  if (completeness == Completeness::kUnknown) {
    return fmt::format("{} valid trials{}", report.trials_valid, seeds);
  }
  return fmt::format("{} of {} trials{}, {}", report.trials_valid, *report.trials_planned, seeds,
                     completeness == Completeness::kComplete ? "complete" : "INCOMPLETE");
}

std::string Head(const Report& report) {
  std::string text =
      fmt::format("run {}: plan {}, seed {}, {}\n", report.run,
                  report.plan.empty() ? "unknown" : report.plan, report.seed, TrialsText(report));
  const std::string cpu = HostText(report, "cpu", "model_name");
  const std::string kernel = HostText(report, "kernel", "release");
  if (!cpu.empty()) text += fmt::format("host: {}, Linux {}\n", cpu, kernel);
  if (!report.lab.empty()) text += fmt::format("lab: {}\n", report.lab);
  if (!report.observers.empty()) {
    text += fmt::format("observers: {}\n", fmt::join(report.observers, ", "));
  }
  if (!report.fixed.empty()) text += "fixed:";
  for (const analysis::Setting& setting : report.fixed) {
    text += fmt::format(" {}={}", setting.name, setting.value);
  }
  return text + (report.fixed.empty() ? "" : "\n");
}

// Why cells say "missing": each reason once per column.
std::string MissingNotes(const Report& report, const std::vector<Quantity>& shown) {
  std::string text;
  for (const Quantity quantity : shown) {
    std::map<std::string, size_t> rows_by_reason;
    for (const Group& group : report.groups) {
      const analysis::QuantitySummary& summary = group.quantities[quantity];
      if (!summary.spread) ++rows_by_reason[summary.missing_because];
    }
    for (const auto& [reason, rows] : rows_by_reason) {
      text += fmt::format("missing: {} in {} of {} rows: {}\n", analysis::QuantityTitle(quantity),
                          rows, report.groups.size(), reason);
    }
  }
  return text;
}

// Reasons that differ only after their first clause (in a RIP, say) share a line with one example.
std::string InvalidNotes(const Report& report) {
  struct Kind {
    size_t trials = 0;
    std::string_view example;
  };
  std::map<std::string_view, Kind> kinds;
  for (const auto& [reason, trials] : report.invalid) {
    const std::string_view all = reason;
    const size_t end = std::min(all.find("; "), all.size());
    Kind& kind = kinds[all.substr(0, end)];
    kind.trials += trials;
    if (kind.example.empty() && end < all.size()) kind.example = all.substr(end + 2);
  }
  std::string text;
  for (const auto& [clause, kind] : kinds) {
    text += fmt::format("invalid: {} trials, not in the table: {}{}{}\n", kind.trials, clause,
                        kind.example.empty() ? "" : "; for example ", kind.example);
  }
  return text;
}

std::string Foot(const Report& report) {
  std::string text = InvalidNotes(report);
  for (const std::string& note : report.notes) text += fmt::format("note: {}\n", note);
  return text;
}

class TextFormat : public ReportFormat {
 public:
  [[nodiscard]] std::string Render(const Report& report) const override {
    if (report.groups.empty()) return Head(report) + "no valid trial\n" + Foot(report);
    const std::vector<Quantity> shown = ShownQuantities(report);
    const std::string notes = SpreadNote(report) + MissingNotes(report, shown) + Foot(report);
    return fmt::format("{}\n{}{}{}", Head(report), MakeTable(report, shown).Text(),
                       notes.empty() ? "" : "\n", notes);
  }
};

}  // namespace

std::unique_ptr<ReportFormat> MakeTextFormat() { return std::make_unique<TextFormat>(); }

}  // namespace plectl::output
