// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// One NAME=VALUE of an "options MODULE NAME=VALUE..." line of modprobe.d, or one MODULE.NAME=VALUE
// of the kernel command line. Module and name have '_' for '-': modprobe and kernel see both alike.
struct ModuleOption {
  std::string module;
  std::string name;
  std::optional<std::string> value;  // nothing for a bare NAME
  std::string file;                  // the host path
  int line = 0;                      // from 1; 0 on the kernel command line

  friend bool operator==(const ModuleOption&, const ModuleOption&) = default;
};

inline constexpr std::string_view kCommandLinePath = "/proc/cmdline";
bool IsFromCommandLine(const ModuleOption& option);
// "/etc/modprobe.d/kvm.conf:3", or "/proc/cmdline".
std::string PlaceText(const ModuleOption& option);

// The options in a file of modprobe.d(5), as libkmod splits it into words and the kernel splits
// them into parameters. Any bytes will do; lines that are no options are skipped.
std::vector<ModuleOption> ParseModprobeFile(std::string_view text, std::string_view file);
// Every MODULE.NAME=VALUE of a kernel command line.
std::vector<ModuleOption> ParseCommandLine(std::string_view text);

// What modprobe would hand to the kernel, in its order: the last value of a name wins.
struct ModprobeConfig {
  std::vector<ModuleOption> options;
  std::vector<std::string> unread;  // "PATH: why" of the files that could not be looked into
};
// The *.conf files of the modprobe.d folders sorted by name, a file in an earlier folder (/etc,
// /run, /usr/local/lib, /usr/lib, /lib) in place of its namesakes, then the kernel command line.
ModprobeConfig ReadModprobeConfig(const HostRoot& root);

// A number as the kernel's parameters take it: decimal, 0x hexadecimal, or octal after a 0.
std::optional<uint64_t> ParseKernelUint(std::string_view text);

}  // namespace plectl::host
