// SPDX-License-Identifier: Apache-2.0
// What the "install" lines of modprobe.d make of a module's load: modprobe and udev run such a
// line's command in place of loading, and its options come after all others.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "host_tools/host/modprobe_config.h"

namespace plectl::host {

struct InstallLine {
  enum class Effect {
    kRefuses,  // "/bin/false", "/bin/true": nothing is loaded
    kLoads,    // "modprobe --ignore-install MODULE NAME=VALUE", "insmod FILE NAME=VALUE"
    kUnknown,  // some other program, which may do anything
  };
  Effect effect = Effect::kUnknown;
  ModuleRule rule;
  bool with_config = true;            // not by insmod, which knows no modprobe.d
  std::vector<ModuleOption> options;  // those in the line
};

// The line that counts for a module ("kvm_intel"), or nothing when there is none.
std::optional<InstallLine> FindInstallLine(const ModprobeConfig& config, std::string_view module);

// The options that a module gets when it is loaded next, in their order: the last of a name wins.
// Of a built-in module only those on the kernel command line.
std::vector<ModuleOption> OptionsAtNextLoad(const ModprobeConfig& config, std::string_view module,
                                            bool built_in);

}  // namespace plectl::host
