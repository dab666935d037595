// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/params_command.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "host_tools/cli/params_actions.h"
#include "host_tools/cli/wait_option.h"

namespace plectl::cli {
namespace {

struct Options {
  std::string format = "text";
  std::vector<std::string> assignments;
  ParamsOptions change;
};
using OptionsPtr =
    std::shared_ptr<Options>;  // shared by the callbacks, which outlive this file's calls

void AddShow(CLI::App& params, CommandContext& context, const OptionsPtr& options) {
  CLI::App* show = params.add_subcommand("show", "Print the parameters of the loaded KVM module");
  show->add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  show->footer("Example: plectl params show --format json");
  show->callback([&context, options] {
    context.exit_code = ExitCodeOf(ShowParams(context.root, options->format));
  });
}

void AddChangeOptions(CLI::App& command, ParamsOptions& change, const char* dry_run_help) {
  command.add_flag("--dry-run", change.dry_run, dry_run_help);
  AddWaitOption(command, change.wait);
}

void AddSet(CLI::App& params, CommandContext& context, const OptionsPtr& options) {
  CLI::App* set = params.add_subcommand("set", "Reload the KVM module with other PLE parameters");
  set->add_option("assignments", options->assignments, "What to change; the rest stays as it is")
      ->type_name("NAME=VALUE")
      ->required();
  AddChangeOptions(*set, options->change, "Check everything and print the change only");
  set->add_flag("--persist", options->change.persist,
                "Also write /etc/modprobe.d/plectl.conf, for the module's next loads");
  set->footer(
      "Needs root and no running VM. `plectl params restore` undoes it.\n"
      "Example: sudo plectl params set ple_window=8192 ple_window_grow=0");
  set->callback([&context, options] {
    context.exit_code = ExitCodeOf(SetParams(context.root, options->assignments, options->change));
  });
}

void AddRestore(CLI::App& params, CommandContext& context, const OptionsPtr& options) {
  CLI::App* restore = params.add_subcommand(
      "restore", "Bring the original parameters back, also after plectl was killed");
  AddChangeOptions(*restore, options->change, "Print only what is to be done");
  restore->add_flag("--keep-persisted", options->change.keep_persisted,
                    "Leave /etc/modprobe.d/plectl.conf, for the start of the machine");
  restore->footer("Example: sudo plectl params restore");
  restore->callback([&context, options] {
    const Result<int> restored = RestoreParams(context.root, options->change);
    context.exit_code = restored ? *restored : ReportError(restored.error());
  });
}

}  // namespace

void AddParamsCommand(CLI::App& app, CommandContext& context) {
  CLI::App* params =
      app.add_subcommand("params", "Show, set or restore the parameters of kvm_intel or kvm_amd");
  params->require_subcommand(1);
  params->footer("Example: plectl params show");
  const auto options = std::make_shared<Options>();
  AddShow(*params, context, options);
  AddSet(*params, context, options);
  AddRestore(*params, context, options);
}

}  // namespace plectl::cli
