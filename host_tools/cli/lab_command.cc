// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/lab_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host_tools/base/file.h"
#include "host_tools/base/stop.h"
#include "host_tools/cli/lab_check_command.h"
#include "host_tools/cli/lab_options.h"
#include "host_tools/cli/lab_printer.h"
#include "host_tools/lab/job_libraries.h"
#include "host_tools/lab/lab.h"

namespace plectl::cli {
namespace {

struct Options {
  lab::LabOptions lab;
  bool update_kernel = false;
  bool console = false;
  std::string format = "text";
  std::vector<std::string> files;
  std::vector<std::string> command;
};
using OptionsPtr = std::shared_ptr<Options>;  // shared by the callbacks, which outlive this call

Status Build(const Options& options) {
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  const auto progress = [](std::string_view text) { fmt::print(stderr, "lab: {}\n", text); };
  PLECTL_ASSIGN_OR_RETURN(const lab::LabKernel kernel,
                          lab::BuildLab(options.lab, options.update_kernel, progress));
  fmt::print("the lab is ready: kernel {}, in {}\n", kernel.release, kernel.directory.string());
  return OkStatus();
}

// Runs `job`; its exit code.
Result<int> Run(const Options& options, const lab::LabJob& job, LabPrinter& printer) {
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  lab::LabOptions lab_options = options.lab;
  lab_options.stop_fd = stop.fd();
  lab_options.verbose_console = options.console;
  PLECTL_ASSIGN_OR_RETURN(const lab::LabOutcome outcome, lab::RunInLab(lab_options, job, printer));
  printer.PrintOutcome(outcome);
  return outcome.exit_code;
}

Result<int> Boot(const Options& options) {
  LabPrinter printer(
      {.console = options.console, .machine = true, .json = options.format == "json"});
  lab::LabJob job;
  job.argv = {"true"};
  return Run(options, job, printer);
}

// "HOST:LAB", or "HOST", which goes to /job under its name. The path on this machine.
Result<std::filesystem::path> TakeAlong(std::string_view file, lab::LabJob& job) {
  const size_t colon = file.rfind(":/");
  std::filesystem::path host(file.substr(0, colon));
  std::string inside = colon == std::string_view::npos
                           ? fmt::format("{}/{}", lab::kJobDirectory, host.filename().string())
                           : std::string(file.substr(colon + 1));
  Result<std::string> content = ReadFile(host);
  if (!content) return BadInput(content.error().message, "--file takes HOST or HOST:/path/in/lab");
  job.files.insert_or_assign(std::move(inside), *std::move(content));
  return host;
}

Status TakeAlong(const std::vector<std::string>& files, lab::LabJob& job) {
  std::vector<std::filesystem::path> hosts;
  for (const std::string& file : files) {
    PLECTL_ASSIGN_OR_RETURN(std::filesystem::path host, TakeAlong(file, job));
    hosts.push_back(std::move(host));
  }
  return lab::AddLibrariesOf(hosts, job);
}

Result<int> Exec(const Options& options) {
  lab::LabJob job;
  job.argv = options.command;
  PLECTL_RETURN_IF_ERROR(TakeAlong(options.files, job));
  LabPrinter printer({.console = options.console, .machine = false, .json = false});
  return Run(options, job, printer);
}

int ExitCodeOfJob(const Result<int>& exit_code) {
  return exit_code ? *exit_code : ReportError(exit_code.error());
}

void AddBuild(CLI::App& parent, CommandContext& context, const OptionsPtr& options) {
  CLI::App* build = parent.add_subcommand("build", "Download and prepare what the lab needs");
  AddLabOptions(*build, options->lab);
  build->add_flag("--update-kernel", options->update_kernel,
                  "Take Debian's newest kernel also when the lab has one; counts may change");
  build->footer("Needs no root. Example: plectl lab build");
  build->callback([&context, options] { context.exit_code = ExitCodeOf(Build(*options)); });
}

void AddBoot(CLI::App& parent, CommandContext& context, const OptionsPtr& options) {
  CLI::App* boot = parent.add_subcommand("boot", "Boot the lab, print what it is, power it off");
  AddLabOptions(*boot, options->lab);
  AddLabDiskOption(*boot, options->lab);
  AddLabKernelArgumentsOption(*boot, options->lab);
  boot->add_flag("--console", options->console, "Print its kernel's messages too (slower)");
  boot->add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  boot->footer("Example: plectl lab boot --lab-cpu amd");
  boot->callback([&context, options] { context.exit_code = ExitCodeOfJob(Boot(*options)); });
}

void AddExec(CLI::App& parent, CommandContext& context, const OptionsPtr& options) {
  CLI::App* exec = parent.add_subcommand("exec", "Run a command in the lab, as root, in /job");
  AddLabOptions(*exec, options->lab);
  AddLabDiskOption(*exec, options->lab);
  AddLabKernelArgumentsOption(*exec, options->lab);
  exec->add_flag("--console", options->console, "Print the kernel's messages too (slower)");
  exec->add_option(
          "--file", options->files,
          "A file to take along (a program: with its libraries, yours before this machine's): HOST "
          "or HOST:/path/in/lab")
      ->take_all()
      ->allow_extra_args(false);
  exec->add_option("command", options->command, "The command and its arguments, after --")
      ->required();
  exec->footer(
      "The command's output and exit code become those of plectl. busybox and plectl are there.\n"
      "Example: plectl lab exec --file spin.ko -- sh -c 'insmod spin.ko && dmesg'");
  exec->callback([&context, options] { context.exit_code = ExitCodeOfJob(Exec(*options)); });
}

}  // namespace

void AddLabCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(
      "lab", "The emulated host: Linux with KVM in the PC emulator Bochs, which has PLE");
  command->require_subcommand(1);
  command->footer("Example: plectl lab boot");
  const auto options = std::make_shared<Options>();
  AddBuild(*command, context, options);
  AddBoot(*command, context, options);
  AddExec(*command, context, options);
  AddLabCheckCommand(*command, context);
}

}  // namespace plectl::cli
