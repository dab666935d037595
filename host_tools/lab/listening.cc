// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/listening.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>
#include <system_error>

#include "host_tools/base/text.h"

namespace plectl::lab {
namespace {

// Columns of /proc/net/tcp (Documentation/networking/proc_net_tcp.rst).
constexpr size_t kLocalColumn = 1;
constexpr size_t kStateColumn = 3;
constexpr size_t kInodeColumn = 9;
constexpr std::string_view kListening = "0A";

std::vector<std::string_view> Columns(std::string_view line) {
  std::vector<std::string_view> columns;
  for (const std::string_view word : Split(line, ' ')) {
    if (!word.empty()) columns.push_back(word);
  }
  return columns;
}

std::optional<uint16_t> HexPort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<ListeningSocket> ParseLine(std::string_view line) {
  const std::vector<std::string_view> columns = Columns(line);
  if (columns.size() <= kInodeColumn || columns[kStateColumn] != kListening) return std::nullopt;
  const std::string_view local = columns[kLocalColumn];
  const size_t colon = local.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<uint16_t> port = HexPort(local.substr(colon + 1));
  const std::optional<uint64_t> inode = ParseUint(columns[kInodeColumn]);
  if (!port || !inode) return std::nullopt;
  return ListeningSocket{std::string(local.substr(0, colon)), *port, *inode};
}

// The links "socket:[INODE]" in /proc/PID/fd.
Result<std::set<uint64_t>> SocketInodes(const HostRoot& root, pid_t pid) {
  constexpr std::string_view kPrefix = "socket:[";
  const std::string directory = fmt::format("/proc/{}/fd", pid);
  PLECTL_ASSIGN_OR_RETURN(const std::vector<std::string> names, root.List(directory));
  std::set<uint64_t> inodes;
  for (const std::string& name : names) {
    std::error_code error;  // one that was closed meanwhile
    const std::string link =
        std::filesystem::read_symlink(root.Path(directory + "/" + name), error).string();
    if (error || !link.starts_with(kPrefix)) continue;
    const std::string_view inode(link.begin() + kPrefix.size(), link.end() - 1);
    if (const auto number = ParseUint(inode)) inodes.insert(*number);
  }
  return inodes;
}

}  // namespace

std::vector<ListeningSocket> ParseListeningSockets(std::string_view table) {
  std::vector<ListeningSocket> sockets;
  for (const std::string_view line : Split(table, '\n')) {
    if (auto socket = ParseLine(line)) sockets.push_back(*std::move(socket));
  }
  return sockets;
}

Result<std::vector<ListeningSocket>> ListeningSocketsOf(const HostRoot& root, pid_t pid) {
  PLECTL_ASSIGN_OR_RETURN(const std::set<uint64_t> inodes, SocketInodes(root, pid));
  std::vector<ListeningSocket> sockets;
  for (const std::string_view table : {"tcp", "tcp6"}) {
    const Result<std::string> text = root.Read(fmt::format("/proc/{}/net/{}", pid, table));
    if (!text && table == "tcp6") continue;  // a kernel without IPv6
    if (!text) return Fail(text.error());
    std::ranges::copy_if(ParseListeningSockets(*text), std::back_inserter(sockets),
                         [&](const ListeningSocket& s) { return inodes.contains(s.inode); });
  }
  return sockets;
}

}  // namespace plectl::lab
