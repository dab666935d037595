// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host_tools/base/text.h"
#include "host_tools/base/utf8.h"
#include "host_tools/experiment/equal_settings.h"
#include "host_tools/output/report_format.h"
#include "host_tools/output/text_table.h"

namespace plectl::output {
namespace {

using analysis::Group;
using analysis::Quantity;

constexpr const char* kSpreadTitle = "min..max";
constexpr size_t kWidth = 100;  // of what fits a terminal

// Every run is judged by these: why they are missing is said even where no row has them.
bool IsExpected(Quantity quantity) {
  return quantity == Quantity::kThroughput || quantity == Quantity::kPauseExits ||
         quantity == Quantity::kExitsPerAcquisition || quantity == Quantity::kWindowUpdates;
}

// In the other formats only: the reason of a row without contention names it.
bool IsNeverShown(Quantity quantity) { return quantity == Quantity::kOverlap; }

// Those that differ between points, so that they are compared by their columns.
bool IsCompared(Quantity quantity) {
  return quantity == Quantity::kThroughput || quantity == Quantity::kPauseExits;
}

bool IsMeasured(const Report& report, Quantity quantity) {
  return std::ranges::any_of(report.groups, [quantity](const Group& group) {
    return group.quantities[quantity].spread.has_value();
  });
}

// Whether all rows say the same of it, so that a line above the table does.
bool IsConstant(const Report& report, Quantity quantity) {
  if (IsCompared(quantity) || report.groups.size() < 2) return false;
  if (quantity == Quantity::kContended && report.trials_not_contended > 0) return false;
  const std::optional<analysis::Spread>& first = report.groups.front().quantities[quantity].spread;
  return first && std::ranges::all_of(report.groups, [&](const Group& group) {
           const std::optional<analysis::Spread>& spread = group.quantities[quantity].spread;
           return spread && spread->min == first->min && spread->max == first->min;
         });
}

// A column is for what some row has and not all have alike.
std::vector<Quantity> ShownQuantities(const Report& report) {
  std::vector<Quantity> shown;
  for (const Quantity quantity : analysis::kQuantities) {
    if (IsNeverShown(quantity)) continue;
    if (IsMeasured(report, quantity) && !IsConstant(report, quantity)) shown.push_back(quantity);
  }
  return shown;
}

// "same in all rows: window updates 0".
std::string ConstantsText(const Report& report) {
  std::vector<std::string> constants;
  for (const Quantity quantity : analysis::kQuantities) {
    if (!IsConstant(report, quantity)) continue;
    constants.push_back(
        fmt::format("{} {}", analysis::QuantityTitle(quantity),
                    ReadableNumber(report.groups.front().quantities[quantity].spread->median)));
  }
  if (constants.empty()) return "";
  return fmt::format("same in all rows: {}\n", fmt::join(constants, ", "));
}

bool Varies(const analysis::QuantitySummary& summary) {
  return summary.spread && summary.spread->min != summary.spread->max;
}

// A quantity that rows are compared by gets a column for its spread when the trials of some row
// differ in it. The other spreads are in CSV and JSON: a table must fit a terminal.
bool HasSpreadColumn(const Report& report, Quantity quantity) {
  return IsCompared(quantity) && std::ranges::any_of(report.groups, [quantity](const Group& group) {
           return Varies(group.quantities[quantity]);
         });
}

std::string MedianCell(const Group& group, Quantity quantity) {
  const analysis::QuantitySummary& summary = group.quantities[quantity];
  if (quantity == Quantity::kContended && group.not_contended > 0) return "NOT CONTENDED";
  return summary.spread ? ReadableNumber(summary.spread->median) : "-";
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
      row.push_back(MedianCell(group, quantity));
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

// Words in lines that fit a terminal, the first after `title`. Without a newline at the end.
std::string Folded(const std::string& title, const std::vector<std::string>& words) {
  std::string text;
  std::string line = title;
  for (const std::string& word : words) {
    if (line.size() + 1 + word.size() > kWidth) {
      text += line + '\n';
      line = std::string(title.size(), ' ');
    }
    line += line.empty() ? word : ' ' + word;
  }
  return text + line;
}

// What all rows have in common.
std::string FixedText(const Report& report) {
  std::vector<std::string> words;
  for (const analysis::Setting& setting : report.fixed) {
    words.push_back(fmt::format("{}={}", setting.name, setting.value));
  }
  return words.empty() ? "" : Folded("fixed:", words) + '\n';
}

void RemoveColumn(size_t column, TextTable& table) {
  const auto at = static_cast<std::ptrdiff_t>(column);
  table.columns.erase(table.columns.begin() + at);
  for (std::vector<std::string>& row : table.rows) row.erase(row.begin() + at);
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
  return text + FixedText(report);
}

// Why cells are "-", and expected columns not there: each reason once.
std::string MissingNotes(const Report& report, const std::vector<Quantity>& shown) {
  std::string text;
  for (const Quantity quantity : analysis::kQuantities) {
    if (!IsExpected(quantity) && std::ranges::find(shown, quantity) == shown.end()) continue;
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
    size_t records = 0;
    std::set<std::string_view> trials;
    std::string_view example;
  };
  std::map<std::string_view, Kind> kinds;
  for (const auto& [reason, records] : report.invalid) {
    const std::string_view all = reason;
    const size_t end = std::min(all.find("; "), all.size());
    Kind& kind = kinds[all.substr(0, end)];
    kind.records += records;
    const auto ids = report.invalid_ids.find(reason);
    if (ids != report.invalid_ids.end()) kind.trials.insert(ids->second.begin(), ids->second.end());
    if (kind.example.empty() && end < all.size()) kind.example = all.substr(end + 2);
  }
  std::string text;
  for (const auto& [clause, kind] : kinds) {
    const size_t trials = kind.trials.empty() ? kind.records : kind.trials.size();
    text += fmt::format("invalid: {}{} trials, not in the table: {}{}{}\n",
                        kind.records == trials ? "" : fmt::format("{} tries of ", kind.records),
                        trials, clause, kind.example.empty() ? "" : "; for example ", kind.example);
  }
  return text;
}

std::string Foot(const Report& report) {
  std::string text = InvalidNotes(report);
  for (const std::string& note : report.notes) text += fmt::format("note: {}\n", note);
  return text;
}

// A part of a report whose table would be too wide: the rows of one payload.
struct Part {
  Report report;
  std::vector<std::string> same;  // "vcpus=2", "trials 1": of all its rows
};

// "-" for what has no effect: PLE is off there.
std::string SettingCell(const Group& group, const std::string& name) {
  host::ParamValues params;
  for (const analysis::Setting& setting : group.settings) {
    if (setting.kind == analysis::SettingKind::kParam) params[setting.name] = setting.value;
  }
  const host::ParamValues effect = experiment::EffectOf(params);
  const std::string value(SettingValue(group, name));
  const bool can_turn_off =
      name == "ple_gap" || name == "pause_filter_count" || name == "pause_filter_thresh";
  if (can_turn_off && value == "0") return value;
  const bool is_idle = effect.contains("off") && params.contains(name) && !effect.contains(name);
  return is_idle ? "-" : value;
}

// What varies in the whole report and not in this part of it moves to what is the same.
void SplitSettings(Part& part) {
  std::vector<std::string> varying;
  for (const std::string& name : part.report.varying) {
    std::set<std::string> values;
    for (const Group& group : part.report.groups) {
      if (std::string value = SettingCell(group, name); value != "-") values.insert(value);
    }
    if (values.size() > 1) varying.push_back(name);
    if (values.size() == 1) part.same.push_back(fmt::format("{}={}", name, *values.begin()));
  }
  part.report.varying = std::move(varying);
}

void SplitFigures(const std::vector<Quantity>& shown, Part& part) {
  const std::vector<Group>& groups = part.report.groups;
  const size_t trials = groups.front().trials;
  if (std::ranges::all_of(groups, [trials](const Group& g) { return g.trials == trials; })) {
    part.same.push_back(fmt::format("trials {}", trials));
  }
  for (const Quantity quantity : shown) {
    if (!IsConstant(part.report, quantity)) continue;
    part.same.push_back(
        fmt::format("{} {}", analysis::QuantityTitle(quantity),
                    ReadableNumber(groups.front().quantities[quantity].spread->median)));
  }
}

std::vector<Part> PartsOf(const Report& report) {
  std::vector<Part> parts;
  std::string payload;
  for (const Group& group : report.groups) {
    const std::string_view own = SettingValue(group, "payload");
    if (parts.empty() || own != payload) {
      payload = own;
      parts.push_back({report, {}});
      parts.back().report.groups.clear();
    }
    parts.back().report.groups.push_back(group);
  }
  return parts;
}

std::string PartText(Part part, const std::vector<Quantity>& shown) {
  SplitSettings(part);
  SplitFigures(shown, part);
  const std::vector<Quantity> columns = ShownQuantities(part.report);
  TextTable table = MakeTable(part.report, columns);
  const bool same_trials = std::ranges::any_of(
      part.same, [](const std::string& text) { return text.starts_with("trials "); });
  const size_t settings = part.report.varying.size();
  for (size_t row = 0; row < table.rows.size(); ++row) {
    for (size_t i = 0; i < settings; ++i) {
      table.rows[row][i] = SettingCell(part.report.groups[row], part.report.varying[i]);
    }
  }
  if (same_trials) RemoveColumn(settings + 1, table);
  return fmt::format("\n{}\n{}", Folded("", part.same), table.NarrowText());
}

// In one table, or where that would not fit a terminal in one for each payload.
std::string Tables(const Report& report, const std::vector<Quantity>& shown) {
  const TextTable table = MakeTable(report, shown);
  if (table.Width() <= kWidth) return "\n" + table.Text();
  std::string text;
  for (Part& part : PartsOf(report)) text += PartText(std::move(part), shown);
  return text;
}

// A log is somebody's: what its texts hold must not steer the terminal.
std::string PrintableLines(std::string_view text) {
  std::string printable;
  for (const std::string_view line : Split(text, '\n')) {
    printable += Printable(line);
    printable += '\n';
  }
  printable.pop_back();  // there is always a line, and after the last one no line feed
  return printable;
}

class TextFormat : public ReportFormat {
 public:
  [[nodiscard]] std::string Render(const Report& report) const override {
    return PrintableLines(TextOf(report));
  }

 private:
  static std::string TextOf(const Report& report) {
    if (report.groups.empty()) return Head(report) + "no valid trial\n" + Foot(report);
    const std::vector<Quantity> shown = ShownQuantities(report);
    const std::string notes = SpreadNote(report) + MissingNotes(report, shown) + Foot(report);
    return fmt::format("{}{}{}{}{}", Head(report), ConstantsText(report), Tables(report, shown),
                       notes.empty() ? "" : "\n", notes);
  }
};

}  // namespace

std::unique_ptr<ReportFormat> MakeTextFormat() { return std::make_unique<TextFormat>(); }

}  // namespace plectl::output
