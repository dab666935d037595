// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/command_line.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "host_tools/base/standard_streams.h"
#include "host_tools/base/version.h"
#include "host_tools/cli/calibrate_command.h"
#include "host_tools/cli/docs_command.h"
#include "host_tools/cli/doctor_command.h"
#include "host_tools/cli/export_command.h"
#include "host_tools/cli/lab_agent_command.h"
#include "host_tools/cli/lab_command.h"
#include "host_tools/cli/monitor_command.h"
#include "host_tools/cli/params_command.h"
#include "host_tools/cli/report_command.h"
#include "host_tools/cli/selftest_command.h"
#include "host_tools/cli/sweep_command.h"
#include "host_tools/cli/usage_error.h"

namespace plectl::cli {
namespace {

// Results that did not reach their reader are not results.
int ExitCodeWithOutput(int exit_code) {
  const Status written = FlushStandardOutput();
  if (written || exit_code > kExitNegativeVerdict) return exit_code;
  if (StandardOutputHasNoReader()) return static_cast<int>(ErrorKind::kEnvironment);
  return ReportError(written.error());
}

// CLI11 reports help and version as "errors" with code 0; every real one is bad usage.
int ReportParseError(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) {
    std::ostringstream text;
    const int exit_code = app.exit(error, text, text);
    fmt::print("{}", text.str());
    return ExitCodeWithOutput(exit_code);
  }
  return ReportError(UsageError(app, error));
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv, CommandContext& context) {
  CLI::App app("Finds, proves and guards the best KVM pause-loop-exiting (PLE) settings of a host.",
               "plectl");
  app.set_version_flag("--version", std::string(kVersion));
  app.require_subcommand(1);
  app.footer(
      "Example: plectl docs quickstart.yaml >plan.yaml\n"
      "         plectl sweep plan.yaml --host lab --out runs/first");
  app.add_option_function<std::string>(
         "--host-root", [&context](const std::string& path) { context.root = HostRoot(path); },
         "Read the host's files under this directory (for recorded hosts; nothing is changed)")
      ->check(CLI::ExistingDirectory)
      ->group("");
  AddDoctorCommand(app, context);
  AddCalibrateCommand(app, context);
  AddSelftestCommand(app, context);
  AddSweepCommand(app, context);
  AddReportCommand(app, context);
  AddExportCommand(app, context);
  AddMonitorCommand(app, context);
  AddParamsCommand(app, context);
  AddLabCommand(app, context);
  AddDocsCommand(app, context);
  AddLabAgentCommand(app, context);
  AddLabSweepCommand(app, context);
  AddLabCalibrateCommand(app, context);
  AddLabSelftestCommand(app, context);
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (!arguments.empty() && arguments.front() == "help") {
    auto help = HelpArguments(app, {arguments.begin() + 1, arguments.end()});
    if (!help) return ReportError(help.error());
    arguments = *std::move(help);
  }
  try {
    // CLI11 takes them from the end.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return ReportParseError(app, error);
  }
  return ExitCodeWithOutput(context.exit_code);
}

}  // namespace plectl::cli
