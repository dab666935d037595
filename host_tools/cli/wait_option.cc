// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/wait_option.h"

#include <cstdint>

namespace plectl::cli {

void AddWaitOption(CLI::App& command, std::chrono::seconds& wait) {
  command
      .add_option_function<uint32_t>(
          "--wait", [&wait](const uint32_t& seconds) { wait = std::chrono::seconds(seconds); },
          "Wait for so many seconds for running VMs to end; without it they are a reason to refuse")
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("SECONDS");
}

}  // namespace plectl::cli
