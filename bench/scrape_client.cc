// SPDX-License-Identifier: Apache-2.0
#include "bench/scrape_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "host_tools/base/fd.h"
#include "host_tools/base/file.h"

namespace plectl::bench {
namespace {

constexpr std::string_view kRequest =
    "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: "
    "close\r\n\r\n";

Result<Fd> Connect(uint16_t port) {
  Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the type of the interface
  const auto* const where = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(client.get(), where, sizeof(address)) == 0) return client;
  return SystemFailure(fmt::format("connect to 127.0.0.1:{}", port), errno);
}

}  // namespace

Result<size_t> ScrapeOverHttp(uint16_t port) {
  PLECTL_ASSIGN_OR_RETURN(const Fd client, Connect(port));
  PLECTL_RETURN_IF_ERROR(WriteAll(client.get(), kRequest));
  std::string head;
  size_t total = 0;
  std::array<char, size_t{64} << 10> buffer;
  for (;;) {
    const ssize_t got = ::read(client.get(), buffer.data(), buffer.size());
    if (got < 0) return SystemFailure("read a scrape", errno);
    if (got == 0) break;
    if (head.empty()) head.assign(buffer.data(), static_cast<size_t>(got));
    total += static_cast<size_t>(got);
  }
  if (head.starts_with("HTTP/1.1 200 OK")) return total;
  return Inconclusive(fmt::format("the scrape was answered with {:.60}", head));
}

}  // namespace plectl::bench
