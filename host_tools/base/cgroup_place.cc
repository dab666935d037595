// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/cgroup_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "host_tools/base/proc_stat.h"
#include "host_tools/base/text.h"

namespace plectl {
namespace {

constexpr std::string_view kNameStart = "plectl-";

// Where the hierarchy is mounted, and which of its cgroups the mount shows as its top.
struct Cgroup2Mount {
  std::string point;
  std::string top;
};

// "31 23 0:28 TOP POINT rw shared:1 - cgroup2 cgroup2 rw" (proc(5)).
std::optional<Cgroup2Mount> FindMount(std::string_view mountinfo) {
  constexpr size_t kTopField = 3;
  constexpr size_t kPointField = 4;
  for (const std::string_view line : Split(mountinfo, '\n')) {
    if (line.find(" - cgroup2 ") == std::string_view::npos) continue;
    const auto fields = Split(line, ' ');
    if (fields.size() <= kPointField) continue;
    return Cgroup2Mount{std::string(fields[kPointField]), std::string(fields[kTopField])};
  }
  return std::nullopt;
}

// The path of our own cgroup below the mount's top: "" or "/system.slice/plectl.service".
Result<std::string> PathBelow(const HostRoot& root, const Cgroup2Mount& mount) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, root.Read("/proc/self/cgroup"));
  const auto own = LineAfter(text, "0::");
  if (!own || !own->starts_with('/')) return Environment("this process is in no cgroup v2");
  std::string_view path = *own;
  if (mount.top != "/") {
    if (!path.starts_with(mount.top)) {
      return Environment(fmt::format("{} does not show our cgroup {}", mount.point, path));
    }
    path.remove_prefix(mount.top.size());
  }
  if (path.find("/..") != std::string_view::npos) {
    return Environment(fmt::format("our cgroup {} is outside of the namespace", path));
  }
  return std::string(path == "/" ? "" : path);
}

bool HasWord(const HostRoot& root, const std::string& path, std::string_view word) {
  const std::string text = root.ReadTrimmed(path).value_or("");
  return std::ranges::count(Split(text, ' '), word) > 0;
}

// A limit that a sibling of `cgroup` would not have.
std::optional<std::string> LimitOf(const HostRoot& root, const std::string& cgroup) {
  for (const std::string_view name : {"memory.max", "memory.high", "cpu.max"}) {
    const auto text = root.ReadTrimmed(fmt::format("{}/{}", cgroup, name));
    if (text && !text->starts_with("max")) return fmt::format("{} {}", name, *text);
  }
  return std::nullopt;
}

Result<std::string> Beside(const HostRoot& root, const std::string& own) {
  std::string parent = own.substr(0, own.rfind('/'));
  if (!HasWord(root, parent + "/cgroup.subtree_control", "memory")) {
    return Environment(fmt::format("{} passes no memory controller on", parent));
  }
  if (const auto limit = LimitOf(root, own)) {
    return Environment(fmt::format("a child beside {} would escape its {}", own, *limit));
  }
  return parent;
}

// When a process was started, in clock ticks since boot.
Result<uint64_t> StartTicks(const HostRoot& root, std::string_view pid) {
  constexpr size_t kStartTimeField = 22;
  const std::string path = fmt::format("/proc/{}/stat", pid);
  PLECTL_ASSIGN_OR_RETURN(const std::string stat, root.Read(path));
  if (const auto ticks = ProcStatField(stat, kStartTimeField)) return *ticks;
  return Environment(fmt::format("{} is not understood", path));
}

// "pid:[4026531836]" -> "4026531836".
Result<std::string> PidNamespace(const HostRoot& root) {
  std::error_code error;
  const auto target = std::filesystem::read_symlink(root.Path("/proc/self/ns/pid"), error).string();
  const size_t begin = target.find('[');
  if (error || begin == std::string::npos || !target.ends_with(']')) {
    return SystemFailure("read the link /proc/self/ns/pid", error.value());
  }
  return target.substr(begin + 1, target.size() - begin - 2);
}

}  // namespace

Result<std::string> MemoryCgroupParent(const HostRoot& root) {
  PLECTL_ASSIGN_OR_RETURN(const std::string mountinfo, root.Read("/proc/self/mountinfo"));
  const std::optional<Cgroup2Mount> mount = FindMount(mountinfo);
  if (!mount) return Environment("no cgroup v2 is mounted");
  PLECTL_ASSIGN_OR_RETURN(const std::string path, PathBelow(root, *mount));
  std::string own = mount->point + path;
  if (!HasWord(root, own + "/cgroup.controllers", "memory")) {
    return Environment(fmt::format("{} has no memory controller", own));
  }
  if (!root.Exists(own + "/cgroup.type")) return own;  // only the root has no type
  if (path.empty()) return Environment(fmt::format("{} is all that we see, and we are in it", own));
  return Beside(root, own);
}

Result<std::string> CgroupNamePrefix(const HostRoot& root, std::string_view pid) {
  PLECTL_ASSIGN_OR_RETURN(const std::string pid_namespace, PidNamespace(root));
  PLECTL_ASSIGN_OR_RETURN(const uint64_t ticks, StartTicks(root, pid));
  return fmt::format("{}{}-{}-{}-", kNameStart, pid_namespace, pid, ticks);
}

bool IsStaleCgroup(const HostRoot& root, std::string_view name) {
  constexpr size_t kParts = 5;
  const auto parts = Split(name, '-');
  const bool is_ours = name.starts_with(kNameStart) && parts.size() == kParts &&
                       std::ranges::all_of(parts.begin() + 1, parts.end(),
                                           [](auto part) { return ParseUint(part).has_value(); });
  if (!is_ours || PidNamespace(root).value_or("") != parts[1]) return false;
  const auto prefix = CgroupNamePrefix(root, parts[2]);
  return !prefix || !name.starts_with(*prefix);
}

}  // namespace plectl
