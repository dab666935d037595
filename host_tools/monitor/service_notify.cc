// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/service_notify.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "host_tools/base/fd.h"
#include "host_tools/base/text.h"

namespace plectl::monitor {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

ServiceNotify ServiceNotify::FromEnvironment() {
  const auto watchdog_us = ParseUint(Variable("WATCHDOG_USEC"));
  return {Variable("NOTIFY_SOCKET"),
          watchdog_us ? std::optional(std::chrono::microseconds(*watchdog_us)) : std::nullopt};
}

Status ServiceNotify::Send(std::string_view state) const {
  if (socket_path_.empty()) return OkStatus();
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string tried = fmt::format("tell systemd by {}", socket_path_);
  if (socket_path_.size() >= sizeof address.sun_path) return SystemFailure(tried, ENAMETOOLONG);
  socket_path_.copy(static_cast<char*>(address.sun_path), socket_path_.size());
  if (socket_path_.front() == '@') address.sun_path[0] = '\0';
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_path_.size());
  const ssize_t sent = ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), length);
  return sent < 0 ? Status(SystemFailure(tried, errno)) : OkStatus();
}

}  // namespace plectl::monitor
