// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/lab/lab_config.h"

namespace plectl::lab {

// The configuration a kernel was built with.
class KernelConfig {
 public:
  // Of a file like /boot/config-RELEASE; what is no setting is skipped.
  static KernelConfig Parse(std::string_view text);
  // Whether an option ("CONFIG_KVM") is built in, or at least there as a module.
  [[nodiscard]] bool IsBuiltIn(std::string_view option) const;
  [[nodiscard]] bool IsThere(std::string_view option) const;
  [[nodiscard]] bool empty() const { return values_.empty(); }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// What a lab of these options needs and this kernel does not have, each as "CONFIG_X (what for)".
std::vector<std::string> MissingKernelOptions(const KernelConfig& config,
                                              const LabOptions& options);

// BadInput that names each missing option; fine when `config` is empty: nothing is known then.
Status CheckKernelConfig(const KernelConfig& config, const LabOptions& options,
                         std::string_view kernel);

// Where the configuration is not known: the option that a kernel lacks which ends as `error` tells,
// with the last lines of its console. Empty when it looks like none of them.
std::string_view OptionMissingByBehaviour(std::string_view error);

}  // namespace plectl::lab
