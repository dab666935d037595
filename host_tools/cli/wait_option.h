// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>

namespace plectl::cli {

// --wait SECONDS: how long to wait for those who use the KVM module, before it is reloaded.
void AddWaitOption(CLI::App& command, std::chrono::seconds& wait);

}  // namespace plectl::cli
