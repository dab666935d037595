// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/host/ple_params.h"

namespace plectl::monitor {

// What is known of one of KVM's modules.
struct ModuleState {
  bool loaded = false;
  uint64_t inode = 0;            // of its folder in /sys/module: another one after each load
  host::ParamValues parameters;  // as last read; of the last load when it is not loaded now
  uint64_t reloads = 0;          // loads that were seen, but for the first
  uint64_t parameter_changes = 0;
  std::optional<double> loaded_timestamp_s;  // only of loads that were seen
};

// Watches kvm, kvm_intel and kvm_amd in /sys/module, whether as modules or built in.
class ModuleWatch {
 public:
  explicit ModuleWatch(const HostRoot& root) : root_(root) {}

  // A few stat() calls; cheap enough for once a second. Two loads between two looks are seen as
  // one. `now_s` is the time of day.
  void Look(double now_s);
  // Reads the parameters of all that are loaded.
  void ReadParameters();

  using States = std::map<std::string, ModuleState, std::less<>>;
  // Only modules that were loaded at some time.
  [[nodiscard]] const States& states() const { return states_; }
  // Whether all parameters of a loaded vendor module could be read.
  [[nodiscard]] bool healthy() const { return healthy_; }

 private:
  void Look(std::string_view name, double now_s);
  bool ReadParameters(std::string_view name, ModuleState& state);

  HostRoot root_;
  States states_;
  bool healthy_ = false;
  bool has_looked_ = false;
};

}  // namespace plectl::monitor
