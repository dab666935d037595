// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/doctor_command.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/utf8.h"
#include "host_tools/host/doctor.h"
#include "host_tools/output/text_table.h"

namespace plectl::cli {
namespace {

using host::CheckResult;
using host::Diagnosis;
using host::Verdict;

constexpr size_t kSeenColumns = 76;

std::string Json(const Diagnosis& diagnosis) {
  nlohmann::ordered_json checks = nlohmann::ordered_json::array();
  for (const CheckResult& check : diagnosis.checks) {
    checks.push_back({{"id", check.id},
                      {"verdict", host::VerdictName(check.verdict)},
                      {"seen", check.seen},
                      {"why", check.why},
                      {"fix", check.fix}});
  }
  const nlohmann::ordered_json json = {
      {"kind", "doctor"}, {"verdict", host::VerdictName(diagnosis.verdict())}, {"checks", checks}};
  return json.dump(2) + '\n';
}

// What does not fit is in full below the table.
std::string Clipped(const std::string& text) {
  return text.size() <= kSeenColumns ? text : Shortened(text, kSeenColumns - 3);
}

std::string Table(const Diagnosis& diagnosis) {
  output::TextTable table{{{"verdict"}, {"check"}, {"seen"}}, {}};
  for (const CheckResult& check : diagnosis.checks) {
    table.rows.push_back({std::string(host::VerdictName(check.verdict)), std::string(check.id),
                          Clipped(check.seen)});
  }
  return table.Text();
}

std::string Details(const CheckResult& check) {
  std::string text = fmt::format("\n{}: {}\n  seen: {}\n  why:  {}\n",
                                 host::VerdictName(check.verdict), check.id, check.seen, check.why);
  if (!check.fix.empty()) text += fmt::format("  fix:  {}\n", check.fix);
  return text;
}

std::vector<std::string> IdsOf(const Diagnosis& diagnosis, Verdict verdict) {
  std::vector<std::string> ids;
  for (const CheckResult& check : diagnosis.checks) {
    if (check.verdict == verdict) ids.emplace_back(check.id);
  }
  return ids;
}

std::string Plural(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string Summary(const Diagnosis& diagnosis) {
  const auto blockers = IdsOf(diagnosis, Verdict::kBlocker);
  return fmt::format("{} ok, {} unknown, {}, {}{}{}", IdsOf(diagnosis, Verdict::kOk).size(),
                     IdsOf(diagnosis, Verdict::kUnknown).size(),
                     Plural(IdsOf(diagnosis, Verdict::kWarning).size(), "warning"),
                     Plural(blockers.size(), "blocker"), blockers.empty() ? "" : ": ",
                     fmt::join(blockers, ", "));
}

// The table has said it all about most of what is unknown.
bool NeedsDetails(const CheckResult& check) {
  return check.verdict != Verdict::kUnknown || !check.fix.empty();
}

std::string Text(const Diagnosis& diagnosis) {
  std::string text = Table(diagnosis);
  for (const Verdict verdict : {Verdict::kUnknown, Verdict::kWarning, Verdict::kBlocker}) {
    for (const CheckResult& check : diagnosis.checks) {
      if (check.verdict == verdict && NeedsDetails(check)) text += Details(check);
    }
  }
  return fmt::format("{}\n{}\n", text, Summary(diagnosis));
}

int PrintDiagnosis(const HostRoot& root, const std::string& format) {
  const Diagnosis diagnosis = host::Diagnose(root);
  fmt::print("{}", format == "json" ? Json(diagnosis) : Text(diagnosis));
  return diagnosis.verdict() == Verdict::kBlocker ? kExitNegativeVerdict : kExitFine;
}

}  // namespace

void AddDoctorCommand(CLI::App& app, CommandContext& context) {
  auto format = std::make_shared<std::string>("text");
  CLI::App* command =
      app.add_subcommand("doctor", "Check what PLE needs on this host, and say what to do");
  command->add_option("--format", *format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer(
      "Changes nothing and needs no root, which sees more. Exit code 1: there is a blocker.\n"
      "Example: plectl doctor --format json");
  command->callback(
      [&context, format] { context.exit_code = PrintDiagnosis(context.root, *format); });
}

}  // namespace plectl::cli
