// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "host_tools/base/text.h"

namespace plectl::metrics {
namespace {

constexpr int kBacklog = 200;  // civetweb's own

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress ToSocketAddress(const ListenAddress& address) {
  SocketAddress result;
  if (address.is_ipv6()) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    ::inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr);
    result.size = sizeof(*v6);
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr);
    result.size = sizeof(*v4);
  }
  return result;
}

std::string HintFor(int error_number) {
  if (error_number == EADDRINUSE) return "choose another port, or see who has it: ss -ltnp";
  if (error_number == EADDRNOTAVAIL) return "this machine has no such address (ip address)";
  if (error_number == EACCES) return "choose a port above 1023";
  return "choose another address or port";
}

// Whether `fd` is a socket that listens on 127.0.0.1:`port`.
bool ListensOn(int fd, uint16_t port) {
  int listening = 0;
  socklen_t size = sizeof(listening);
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
    return false;
  }
  sockaddr_in address{};
  size = sizeof(address);
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
         address.sin_family == AF_INET && address.sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
         ntohs(address.sin_port) == port;
}

// So that who waits for connections on the socket before notices at once that it was replaced.
void WakeUp(const Fd& client, uint16_t port) {
  const SocketAddress to = ToSocketAddress({"127.0.0.1", port});
  // That it is under way is enough.
  static_cast<void>(
      ::connect(client.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size));
}

}  // namespace

Result<Fd> Listen(const ListenAddress& address) {
  const SocketAddress to = ToSocketAddress(address);
  const auto failure = [&address](int error_number) {
    return SystemFailure(fmt::format("listen on {}", address.Text()), error_number,
                         HintFor(error_number));
  };
  Fd socket(::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return failure(errno);
  const int on = 1;
  // As civetweb does: connections that have just ended are no obstacle.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.is_ipv6()) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return failure(errno);
  }
  return socket;
}

Result<uint16_t> PortOf(const Fd& listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return SystemFailure("get a socket's port", errno);
  }
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

Status TakePlaceOf(uint16_t port, const Fd& listener) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const auto fd = ParseUint(entry.path().filename().string());
    if (!fd || !ListensOn(static_cast<int>(*fd), port)) continue;
    const Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::dup3(listener.get(), static_cast<int>(*fd), O_CLOEXEC) < 0) {
      return SystemFailure("replace a listening socket", errno);
    }
    WakeUp(client, port);
    return OkStatus();
  }
  return Internal(fmt::format("no socket of plectl listens on 127.0.0.1:{}", port));
}

}  // namespace plectl::metrics
