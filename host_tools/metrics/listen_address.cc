// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/listen_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <optional>

#include "host_tools/base/text.h"

namespace plectl::metrics {
namespace {

constexpr std::string_view kHint =
    "give ADDR:PORT with a numeric address, e.g. 127.0.0.1:9464 or [::1]:9464; \":9464\" is of "
    "127.0.0.1, and 0.0.0.0:9464 lets every machine that reaches this one ask";

Failure Bad(std::string_view text, std::string_view why) {
  return BadInput(fmt::format("cannot listen on \"{}\": {}", text, why), std::string(kHint));
}

// Its usual form: "[0:0::1]" is "::1". Nothing when it is no address.
std::optional<std::string> Numeric(int family, std::string_view host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_pton(family, std::string(host).c_str(), bytes.data()) != 1) return std::nullopt;
  if (::inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr) return std::nullopt;
  return text.data();
}

std::optional<std::string> HostOf(std::string_view host) {
  if (host.empty() || host == "localhost") return ListenAddress().host;
  if (host.starts_with('[') && host.ends_with(']')) {
    return Numeric(AF_INET6, host.substr(1, host.size() - 2));
  }
  return Numeric(AF_INET, host);
}

}  // namespace

std::string ListenAddress::Text() const {
  return is_ipv6() ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  const bool has_host = colon != std::string_view::npos;
  const std::optional<uint64_t> port = ParseUint(has_host ? text.substr(colon + 1) : text);
  if (!port) return Bad(text, "it does not end with a port");
  if (*port > UINT16_MAX) return Bad(text, fmt::format("there is no port {}", *port));
  const std::string_view host = has_host ? text.substr(0, colon) : std::string_view();
  // "::1" alone could be read as "host :, port 1".
  if (host.find(':') != std::string_view::npos && !host.starts_with('[')) {
    return Bad(text, "an IPv6 address needs brackets");
  }
  std::optional<std::string> numeric = HostOf(host);
  if (!numeric) return Bad(text, fmt::format("\"{}\" is not a numeric address", host));
  return ListenAddress{*std::move(numeric), static_cast<uint16_t>(*port)};
}

}  // namespace plectl::metrics
