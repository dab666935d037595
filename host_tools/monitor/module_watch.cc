// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/module_watch.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "host_tools/host/module_params.h"

namespace plectl::monitor {
namespace {

constexpr std::string_view kModules[] = {"kvm", "kvm_intel", "kvm_amd"};

uint64_t Changes(const host::ParamValues& before, const host::ParamValues& now) {
  uint64_t changes = 0;
  for (const auto& [name, value] : now) {
    const auto old = before.find(name);
    changes += old != before.end() && old->second != value ? 1 : 0;
  }
  return changes;
}

// A parameter that only root may read is left out.
host::ParamValues ReadAll(const HostRoot& root, const std::string& folder) {
  host::ParamValues values;
  for (const std::string& name : root.List(folder).value_or(std::vector<std::string>{})) {
    if (auto value = root.ReadTrimmed(folder + "/" + name)) values.emplace(name, *std::move(value));
  }
  return values;
}

}  // namespace

void ModuleWatch::Look(double now_s) {
  for (const std::string_view name : kModules) Look(name, now_s);
  has_looked_ = true;
}

void ModuleWatch::Look(std::string_view name, double now_s) {
  struct stat status = {};
  const std::string folder = fmt::format("/sys/module/{}/parameters", name);
  const bool loaded = ::stat(root_.Path(folder).c_str(), &status) == 0;
  const auto known = states_.find(name);
  if (known == states_.end()) {
    if (loaded) {
      ModuleState& state = states_[std::string(name)];
      state.loaded = true;
      state.inode = status.st_ino;
      if (has_looked_) state.loaded_timestamp_s = now_s;
      ReadParameters(name, state);
    }
    return;
  }
  ModuleState& state = known->second;
  state.loaded = loaded;
  if (!loaded || state.inode == status.st_ino) return;
  state.inode = status.st_ino;
  ++state.reloads;
  state.loaded_timestamp_s = now_s;
  ReadParameters(name, state);
}

bool ModuleWatch::ReadParameters(std::string_view name, ModuleState& state) {
  host::ParamValues values = ReadAll(root_, fmt::format("/sys/module/{}/parameters", name));
  if (values.empty()) return false;
  state.parameter_changes += Changes(state.parameters, values);
  state.parameters = std::move(values);
  return true;
}

void ModuleWatch::ReadParameters() {
  healthy_ = false;
  for (auto& [name, state] : states_) {
    const bool read = state.loaded && ReadParameters(name, state);
    healthy_ = healthy_ || (read && name != "kvm");
  }
}

}  // namespace plectl::monitor
