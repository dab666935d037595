// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/selftest_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "host_tools/base/version.h"
#include "host_tools/output/text_table.h"

namespace plectl::output {
namespace {

using experiment::CheckOutcome;
using experiment::SelftestCheck;
using experiment::SelftestReport;
using nlohmann::json;

std::string_view VerdictOf(const SelftestReport& report) {
  const int code = experiment::SelftestExitCode(report.checks);
  if (code == 0) return "passed";
  return code == 1 ? "failed" : "inconclusive";
}

json ToJson(const SelftestCheck& check) {
  json object = {{"name", check.name},
                 {"expectation", check.expectation},
                 {"outcome", experiment::OutcomeName(check.outcome)},
                 {"essential", check.essential}};
  if (!check.measured.empty()) object["measured"] = check.measured;
  if (!check.because.empty()) object["because"] = check.because;
  return object;
}

std::string ClosingText(const SelftestReport& report) {
  const std::string_view verdict = VerdictOf(report);
  if (verdict == "passed") return "passed: what plectl assumes of a CPU holds on this host\n";
  if (verdict == "inconclusive") {
    return "inconclusive: see what is missing; plectl doctor says what this host lacks\n";
  }
  return "failed: figures of this host are not to be trusted; please report it with the output of "
         "plectl selftest --format json\n";
}

}  // namespace

std::string SelftestText(const SelftestReport& report) {
  TextTable table{{{"check"}, {"outcome"}, {"measured"}}, {}};
  std::string reasons;
  for (const SelftestCheck& check : report.checks) {
    table.rows.push_back({check.name, std::string(experiment::OutcomeName(check.outcome)),
                          check.measured.empty() ? "" : check.measured});
    if (check.because.empty()) continue;
    reasons += fmt::format("{} {}: {}\n  expected: {}\n", experiment::OutcomeName(check.outcome),
                           check.name, check.because, check.expectation);
  }
  return fmt::format("{}\n{}{}{}", table.Text(), reasons, reasons.empty() ? "" : "\n",
                     ClosingText(report));
}

std::string SelftestJson(const SelftestReport& report) {
  json object = {
      {"kind", "selftest"},         {"schema", 1},
      {"plectl_version", kVersion}, {"verdict", VerdictOf(report)},
      {"host", report.host},        {"calibration", experiment::ToJson(report.calibration)},
      {"checks", json::array()},    {"controls", json::array()},
      {"trials", json::array()}};
  for (const SelftestCheck& check : report.checks) object["checks"].push_back(ToJson(check));
  for (const auto& control : report.controls) {
    object["controls"].push_back(experiment::ToJson(control));
  }
  for (const auto& trial : report.trials) object["trials"].push_back(experiment::ToJson(trial));
  return object.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace plectl::output
