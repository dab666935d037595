// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::lab {

// A TCP socket that listens.
struct ListeningSocket {
  std::string address;  // as /proc/net/tcp writes it: hexadecimal, "0100007F" is 127.0.0.1
  uint16_t port = 0;
  uint64_t inode = 0;
};

// The listening sockets of a table like /proc/net/tcp or tcp6. Lines that make no sense are left
// out.
std::vector<ListeningSocket> ParseListeningSockets(std::string_view table);

// Those that the process `pid` holds, in its network namespace.
Result<std::vector<ListeningSocket>> ListeningSocketsOf(const HostRoot& root, pid_t pid);

}  // namespace plectl::lab
