// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/lab_agent_command.h"

#include <CLI/CLI.hpp>
#include <string>

#include "host_tools/lab/agent.h"
#include "host_tools/lab/job.h"
#include "host_tools/lab/lab_config.h"
#include "host_tools/lab/parallel_port.h"

namespace plectl::cli {
namespace {

// The agent talks to hardware that only the lab surely has.
Status CheckInLab(const std::string& command_line) {
  if (command_line.find(" plectl.lab=") != std::string::npos) return OkStatus();
  return BadInput("lab-agent runs inside the lab only", "use `plectl lab exec -- COMMAND` outside");
}

Status Agent(const HostRoot& root) {
  PLECTL_ASSIGN_OR_RETURN(const std::string command_line, root.Read("/proc/cmdline"));
  PLECTL_RETURN_IF_ERROR(CheckInLab(command_line));
  PLECTL_ASSIGN_OR_RETURN(lab::ParallelPort port, lab::ParallelPort::Open());
  if (command_line.find(lab::kSnapshotArgument) != std::string::npos) {
    PLECTL_RETURN_IF_ERROR(lab::ReceiveJob(root, port));
  }
  return lab::RunAgent(root, std::string(lab::kJobFile), port);
}

}  // namespace

void AddLabAgentCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("lab-agent", "Run the job inside the lab");
  command->group("");
  command->callback([&context] { context.exit_code = ExitCodeOf(Agent(context.root)); });
}

}  // namespace plectl::cli
