// SPDX-License-Identifier: Apache-2.0
// No text makes the readers of modprobe.d and the kernel command line crash, and what they return
// keeps its contract.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "host_tools/host/install_line.h"
#include "host_tools/host/modprobe_config.h"

namespace {

bool IsSound(const plectl::host::ModuleOption& option, int line_max) {
  return !option.module.empty() && !option.name.empty() && option.line <= line_max &&
         option.module.find('-') == std::string::npos && option.name.find('-') == std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plectl::host;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = static_cast<int>(std::ranges::count(text, '\n')) + 1;
  for (const ModuleOption& option : ParseModprobeFile(text, "x.conf")) {
    if (!IsSound(option, lines) || option.line < 1) std::abort();
    ParseKernelUint(option.value.value_or(""));
  }
  ModprobeConfig config{ParseModprobeFile(text, "x.conf"), ParseModprobeRules(text, "x.conf"), {}};
  for (const ModuleRule& rule : config.rules) {
    if (rule.line < 1 || rule.line > lines || rule.pattern.find('-') != std::string::npos) {
      std::abort();
    }
  }
  for (const ModuleOption& option : OptionsAtNextLoad(config, "kvm_intel", false)) {
    if (option.module != "kvm_intel" || option.name.empty()) std::abort();
  }
  for (const ModuleRule& rule : ParseCommandLineRules(text)) {
    if (rule.line != 0 || rule.pattern.empty()) std::abort();
  }
  for (const ModuleOption& option : ParseCommandLine(text)) {
    if (!IsSound(option, 0) || !option.value || !IsFromCommandLine(option)) std::abort();
  }
  return 0;
}
