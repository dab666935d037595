// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/port_check.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "host_tools/base/fd.h"

namespace plectl::metrics {
namespace {

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
  if (error_number == EADDRINUSE)
    return "choose another port, or end what listens there (ss -ltnp)";
  if (error_number == EADDRNOTAVAIL) return "this machine has no such address (ip address)";
  if (error_number == EACCES) return "choose a port above 1023";
  return "choose another address or port";
}

}  // namespace

Status CheckPortFree(const ListenAddress& address) {
  const SocketAddress to = ToSocketAddress(address);
  const auto failure = [&address](int error_number) {
    return SystemFailure(fmt::format("listen on {}", address.Text()), error_number,
                         HintFor(error_number));
  };
  const Fd socket(::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return failure(errno);
  const int on = 1;
  // As civetweb does: connections that have just ended are no obstacle.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (to.storage.ss_family == AF_INET6) {
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  }
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0 ||
      ::listen(socket.get(), 1) != 0) {
    return failure(errno);
  }
  return OkStatus();
}

}  // namespace plectl::metrics
