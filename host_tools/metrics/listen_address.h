// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"

namespace plectl::metrics {

// Where an endpoint listens.
struct ListenAddress {
  std::string host = "127.0.0.1";  // a numeric IPv4 or IPv6 address, the latter without brackets
  uint16_t port = 0;               // 0: one that is free

  [[nodiscard]] bool is_ipv6() const { return host.find(':') != std::string::npos; }
  // "127.0.0.1:9464", "[::1]:9464".
  [[nodiscard]] std::string Text() const;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// ADDR:PORT. "PORT" and ":PORT" are of 127.0.0.1, "localhost" too; an IPv6 address stands in
// brackets. Names are not looked up. BadInput otherwise.
Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace plectl::metrics
