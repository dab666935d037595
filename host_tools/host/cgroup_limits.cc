// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/cgroup_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

// A mount of a hierarchy.
struct Mount {
  std::string point;
  std::string top;      // the cgroup that it shows as its topmost
  std::string options;  // of the super block: the controllers of version 1
};

// /proc writes ' ', tab, newline and '\' of a path as "\040" (proc(5)).
std::string WithoutOctal(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view digits = text.substr(i + 1, 3);
    const bool is_octal = text[i] == '\\' && digits.size() == 3 &&
                          digits.find_first_not_of("01234567") == std::string_view::npos;
    if (!is_octal) {
      plain += text[i];
      continue;
    }
    plain += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + digits[2] - '0');
    i += 3;
  }
  return plain;
}

// "31 23 0:28 TOP POINT rw shared:1 - TYPE SOURCE OPTIONS" (proc(5)).
std::optional<Mount> MountOf(std::string_view line, std::string_view type) {
  constexpr size_t kTopField = 3;
  constexpr size_t kPointField = 4;
  const auto fields = Split(line, ' ');
  const auto dash = std::ranges::find(fields, "-");
  if (fields.size() <= kPointField || fields.end() - dash < 4 || *(dash + 1) != type) return {};
  return Mount{WithoutOctal(fields[kPointField]), WithoutOctal(fields[kTopField]),
               std::string(*(dash + 3))};
}

bool HasWord(std::string_view list, std::string_view word) {
  return std::ranges::count(Split(list, ','), word) > 0;
}

bool IsFolder(const HostRoot& root, const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(root.Path(path), error);
}

// Where systemd mounts them, for a recorded host without mountinfo.
std::vector<Mount> UsualMounts(const HostRoot& root, std::string_view controller) {
  std::vector<std::string> points = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
  if (!controller.empty()) points = {fmt::format("/sys/fs/cgroup/{}", controller)};
  const auto found =
      std::ranges::find_if(points, [&](auto& point) { return IsFolder(root, point); });
  if (found == points.end()) return {};
  return {{*found, "/", std::string(controller)}};
}

// The mounts of version 1 with `controller`, or without one those of version 2.
std::vector<Mount> MountsOf(const HostRoot& root, std::string_view controller) {
  const Result<std::string> mountinfo = root.Read("/proc/self/mountinfo");
  if (!mountinfo) return UsualMounts(root, controller);
  std::vector<Mount> mounts;
  for (const std::string_view line : Split(*mountinfo, '\n')) {
    std::optional<Mount> mount = MountOf(line, controller.empty() ? "cgroup2" : "cgroup");
    if (!mount || (!controller.empty() && !HasWord(mount->options, controller))) continue;
    mounts.push_back(*std::move(mount));
  }
  return mounts;
}

// "ID:CONTROLLERS:PATH": the path in the hierarchy with `controller`, or in version 2 ("0::PATH").
std::optional<std::string> PathIn(std::string_view cgroups, std::string_view controller) {
  for (const std::string_view line : Split(cgroups, '\n')) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view list = line.substr(first + 1, second - first - 1);
    const bool fits = controller.empty() ? line.starts_with("0::") : HasWord(list, controller);
    if (fits) return std::string(line.substr(second + 1));
  }
  return std::nullopt;
}

bool IsBelow(std::string_view path, std::string_view top) {
  if (top == "/" || path == top) return true;
  return path.starts_with(top) && path.substr(top.size()).starts_with('/');
}

// Only cgroups other than the root have a cgroup.events (version 2), only the root of version 1 has
// a release_agent.
bool IsRealRoot(const HostRoot& root, const std::string& folder, int version) {
  return version == 2 ? !root.Exists(folder + "/cgroup.events")
                      : root.Exists(folder + "/release_agent");
}

CgroupChain ChainIn(const HostRoot& root, const Mount& mount, std::string path, int version) {
  CgroupChain chain;
  chain.version = version;
  const size_t top_bytes = mount.top == "/" ? 0 : mount.top.size();
  if (path == "/") path.clear();
  for (; path.size() > top_bytes; path.resize(path.rfind('/'))) {
    chain.folders.push_back({path, mount.point + path.substr(top_bytes)});
  }
  chain.folders.push_back({mount.top, mount.point});
  if (mount.top != "/" || !IsRealRoot(root, mount.point, version)) {
    chain.unseen_because = fmt::format("cgroups above {} are not shown here", mount.point);
  }
  return chain;
}

Result<std::optional<CgroupChain>> ChainOf(const HostRoot& root, std::string_view process,
                                           std::string_view controller) {
  const std::string file = fmt::format("/proc/{}/cgroup", process);
  PLECTL_ASSIGN_OR_RETURN(const std::string cgroups, root.Read(file));
  const std::optional<std::string> path = PathIn(cgroups, controller);
  std::vector<Mount> mounts = MountsOf(root, controller);
  // Version 2 is in /proc of every kernel that has it, mounted or not.
  if (!path || (controller.empty() && mounts.empty())) return std::optional<CgroupChain>();
  CgroupChain chain;
  chain.version = controller.empty() ? 2 : 1;
  const bool is_path = path->starts_with('/') && !IsBelow(*path, "/..") &&
                       path->find("/../") == std::string::npos && !path->ends_with("/..");
  std::erase_if(mounts, [&](const Mount& mount) { return !is_path || !IsBelow(*path, mount.top); });
  if (mounts.empty() && *path == "/") return std::optional(chain);
  if (mounts.empty()) {
    chain.unseen_because = fmt::format("the cgroup {} of {} is not shown here", *path, file);
    return std::optional(chain);
  }
  // The one that shows most.
  const auto best =
      std::ranges::min_element(mounts, {}, [](const Mount& m) { return m.top.size(); });
  return std::optional(ChainIn(root, *best, *path, chain.version));
}

// Nothing when there is no quota; a file that is not there has none to tell.
Result<std::optional<std::string>> QuotaV2(const HostRoot& root, const std::string& folder) {
  const std::string file = folder + "/cpu.max";
  if (!root.Exists(file)) return std::optional<std::string>();
  PLECTL_ASSIGN_OR_RETURN(const std::string text, root.ReadTrimmed(file));
  if (text.starts_with("max")) return std::optional<std::string>();
  if (!ParseUint(Split(text, ' ').front())) {
    return Environment(fmt::format("{} holds \"{}\"", file, text));
  }
  return std::optional("cpu.max " + text);
}

Result<std::optional<std::string>> QuotaV1(const HostRoot& root, const std::string& folder) {
  const std::string file = folder + "/cpu.cfs_quota_us";
  if (!root.Exists(file)) return std::optional<std::string>();
  PLECTL_ASSIGN_OR_RETURN(const std::string quota, root.ReadTrimmed(file));
  if (quota == "-1") return std::optional<std::string>();
  if (!ParseUint(quota)) return Environment(fmt::format("{} holds \"{}\"", file, quota));
  return std::optional(fmt::format("cpu.cfs_quota_us {} of {}", quota,
                                   root.ReadTrimmed(folder + "/cpu.cfs_period_us").value_or("?")));
}

void AddQuotas(const HostRoot& root, const CgroupChain& chain, CpuLimits& limits) {
  if (limits.unseen_because.empty()) limits.unseen_because = chain.unseen_because;
  for (const CgroupFolder& cgroup : chain.folders) {
    const auto quota =
        chain.version == 2 ? QuotaV2(root, cgroup.folder) : QuotaV1(root, cgroup.folder);
    if (!quota) {
      limits.unseen_because = quota.error().message;
    } else if (*quota) {
      limits.quotas.push_back({cgroup, **quota});
    }
  }
}

}  // namespace

Result<std::optional<CgroupChain>> CgroupChainV1(const HostRoot& root, std::string_view process,
                                                 std::string_view controller) {
  return ChainOf(root, process, controller);
}

Result<std::optional<CgroupChain>> CgroupChainV2(const HostRoot& root, std::string_view process) {
  return ChainOf(root, process, "");
}

// The CPU controller is in one of the two; a cgroup of the other has no such files.
Result<CpuLimits> CpuLimitsOf(const HostRoot& root, std::string_view process) {
  PLECTL_ASSIGN_OR_RETURN(const auto v1, CgroupChainV1(root, process, "cpu"));
  PLECTL_ASSIGN_OR_RETURN(const auto v2, CgroupChainV2(root, process));
  CpuLimits limits;
  if (v2) AddQuotas(root, *v2, limits);
  if (v1) limits.unseen_because.clear();
  if (v1) AddQuotas(root, *v1, limits);
  return limits;
}

}  // namespace plectl::host
