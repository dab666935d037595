// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::lab {

// What the lab says of itself when it is up.
struct LabHello {
  std::string kernel_release;  // "6.1.0-56-cloud-amd64"
  std::string cpu_model;       // of /proc/cpuinfo
  std::string kvm_module;      // "kvm_intel", "kvm_amd"; empty when neither is loaded
  std::map<std::string, std::string> parameters;  // of that module
  friend bool operator==(const LabHello&, const LabHello&) = default;
};

// Reads it from the machine below `root`.
Result<LabHello> DescribeMachine(const HostRoot& root);

std::string HelloToJson(const LabHello& hello);
// Strings made printable: they come from the lab and go to a terminal.
Result<LabHello> HelloFromJson(std::string_view text);

}  // namespace plectl::lab
