// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::host {

// The first processor of /proc/cpuinfo.
class CpuInfo {
 public:
  static Result<CpuInfo> Read(const HostRoot& root);
  static CpuInfo Parse(std::string_view text);

  // "model name", "microcode", ...; nothing when there is no such line.
  [[nodiscard]] std::optional<std::string> Field(std::string_view name) const;
  // Whether the list `field` ("flags", "vmx flags") has `flag`; nothing when there is no such line.
  [[nodiscard]] std::optional<bool> HasFlag(std::string_view field, std::string_view flag) const;

 private:
  std::map<std::string, std::string, std::less<>> fields_;
};

}  // namespace plectl::host
