// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"

namespace plectl::monitor {

// Tells systemd how the service is (sd_notify(3)), when it was started by it with Type=notify.
class ServiceNotify {
 public:
  // Of $NOTIFY_SOCKET and $WATCHDOG_USEC.
  static ServiceNotify FromEnvironment();
  ServiceNotify(std::string socket_path, std::optional<std::chrono::microseconds> watchdog)
      : socket_path_(std::move(socket_path)), watchdog_(watchdog) {}

  // "READY=1", "STOPPING=1", "WATCHDOG=1" or several such lines. Nothing to do without systemd.
  Status Send(std::string_view state) const;
  // How often systemd wants to hear WATCHDOG=1, if it does.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  std::string socket_path_;  // begins with '@' for the abstract namespace
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace plectl::monitor
