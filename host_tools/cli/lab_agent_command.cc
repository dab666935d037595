// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/lab_agent_command.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host_tools/base/child.h"
#include "host_tools/cli/command_line.h"
#include "host_tools/cli/lab_request.h"
#include "host_tools/guests/payload_source.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/observers.h"
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

// A sweep runs in a copy of this process, which has loaded and attached already what takes a
// sweep's start-up most of its time. Everything else is a program like any other, in a lab where
// nothing is attached.
class JobStarter {
 public:
  explicit JobStarter(const HostRoot& root) : root_(root) {
    (void)guests::EmbeddedPayloads();  // keeps them
    const Result<host::KvmModule> module = host::LoadedModule(root);
    if (!module) return;
    if (auto observers = host::OpenObservers(root, *module, {})) observers_ = *std::move(observers);
  }

  Result<Child> operator()(const ChildOptions& options) {
    const bool is_sweep = options.argv.size() > 1 && options.argv[0] == "plectl" &&
                          (options.argv[1] == "sweep" || options.argv[1] == kSweepInLab);
    if (is_sweep) {
      Result<Child> child = Child::Fork(options, [&] { return RunSweep(options.argv); });
      // What the sweep does not want is detached only when we do not hold it either.
      observers_.reset();
      return child;
    }
    observers_.reset();
    return Child::Start(options);
  }

 private:
  int RunSweep(const std::vector<std::string>& arguments) {
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    CommandContext context;
    context.root = root_;
    context.standby_observers = std::exchange(observers_, {});
    return RunCommandLine(static_cast<int>(argv.size()), argv.data(), context);
  }

  HostRoot root_;
  std::optional<host::ObserverPair> observers_;
};

Status Agent(const HostRoot& root) {
  PLECTL_ASSIGN_OR_RETURN(const std::string command_line, root.Read("/proc/cmdline"));
  PLECTL_RETURN_IF_ERROR(CheckInLab(command_line));
  PLECTL_ASSIGN_OR_RETURN(lab::ParallelPort port, lab::ParallelPort::Open());
  JobStarter starter(root);
  if (command_line.find(lab::kSnapshotArgument) != std::string::npos) {
    PLECTL_RETURN_IF_ERROR(lab::ReceiveJob(root, port));
  }
  return lab::RunAgent(root, std::string(lab::kJobFile), port, std::ref(starter));
}

}  // namespace

void AddLabAgentCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("lab-agent", "Run the job inside the lab");
  command->group("");
  command->callback([&context] { context.exit_code = ExitCodeOf(Agent(context.root)); });
}

}  // namespace plectl::cli
