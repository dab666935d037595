// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/tracepoint.h"

#include <fmt/format.h>

#include <string>

#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

Result<std::string> EventsDirectory(const HostRoot& root) {
  for (const char* tracefs : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    std::string events = std::string(tracefs) + "/events";
    if (root.Exists(events)) return events;
  }
  return Environment("find tracefs at /sys/kernel/tracing: not mounted, or not readable",
                     "as root: mount -t tracefs tracefs /sys/kernel/tracing");
}

}  // namespace

Result<uint64_t> TracepointId(const HostRoot& root, std::string_view system,
                              std::string_view name) {
  PLECTL_ASSIGN_OR_RETURN(const std::string events, EventsDirectory(root));
  const std::string path = fmt::format("{}/{}/{}/id", events, system, name);
  if (!root.Exists(path)) {
    return Environment(
        fmt::format("find tracepoint {}:{} at {}: not there", system, name, path),
        fmt::format("load the module {} first; a kernel without it may be too old", system));
  }
  PLECTL_ASSIGN_OR_RETURN(const std::string text, root.ReadTrimmed(path));
  if (const auto id = ParseUint(text)) return *id;
  return Environment(fmt::format("read tracepoint id {}: \"{}\" is not a number", path, text));
}

}  // namespace plectl::host
