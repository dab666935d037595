// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/libvirt_domains.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <vector>

#include "host_tools/base/proc_stat.h"
#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

constexpr std::string_view kFolder = "/run/libvirt/qemu";

// The owner of the host's root is its root user, in a recording too.
bool IsRootsOwn(const HostRoot& root, const std::string& path, mode_t type) {
  struct stat top {};
  struct stat status {};
  if (::stat(root.Path("/").c_str(), &top) != 0) return false;
  if (::lstat(root.Path(path).c_str(), &status) != 0) return false;
  const mode_t others = root.is_real() ? S_IWGRP | S_IWOTH : S_IWOTH;
  return (status.st_mode & S_IFMT) == type && status.st_uid == top.st_uid &&
         (status.st_mode & others) == 0;
}

int64_t WrittenAt(const HostRoot& root, const std::string& path) {
  struct stat status {};
  return ::stat(root.Path(path).c_str(), &status) == 0 ? status.st_mtim.tv_sec : 0;
}

std::string WithoutEnds(std::string_view text, std::string_view start, std::string_view end) {
  if (!text.starts_with(start) || !text.ends_with(end) || text.size() < start.size() + end.size()) {
    return {};
  }
  return std::string(text.substr(start.size(), text.size() - start.size() - end.size()));
}

// Undoes systemd's escapes: "\x2d" is '-' (systemd-escape(1)).
std::string Unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const bool is_escape = text.substr(i, 2) == "\\x" && i + 4 <= text.size();
    const char* digits = text.data() + i + 2;
    if (is_escape && std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// "qemu-3-NAME".
std::optional<DomainScope> ScopeOf(std::string machine) {
  constexpr std::string_view kStart = "qemu-";
  if (!machine.starts_with(kStart)) return std::nullopt;
  const size_t end = machine.find('-', kStart.size());
  if (end == std::string::npos || end + 1 == machine.size()) return std::nullopt;
  std::string id = machine.substr(kStart.size(), end - kStart.size());
  if (!ParseUint(id)) return std::nullopt;
  return DomainScope{std::move(id), std::move(machine)};
}

std::string ScopesName(const DomainScope& scope) {
  return scope.machine.substr(std::string_view("qemu--").size() + scope.id.size());
}

bool IsAscii(char c, std::string_view others) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         others.find(c) != std::string_view::npos;
}

// What libvirt makes of a domain's name (virDomainMachineNameAppendValid()).
std::string MachineName(std::string_view id, std::string_view name) {
  constexpr size_t kBytesMax = 64;
  std::string machine = fmt::format("qemu-{}-", id);
  bool skip = true;
  for (const char c : name) {
    if (machine.size() >= kBytesMax) break;
    const bool separates = c == '.' || c == '-';
    if (separates ? skip : !IsAscii(c, "")) continue;
    machine += c;
    skip = separates;
  }
  machine.resize(machine.find_last_not_of("-.") + 1);
  return machine;
}

std::optional<DomainScope> ScopeOfProcess(const HostRoot& root, std::string_view pid) {
  const std::string text = root.Read(fmt::format("/proc/{}/cgroup", pid)).value_or("");
  for (const std::string_view line : Split(text, '\n')) {
    const size_t path = line.find(":/");
    if (path == std::string_view::npos) continue;
    if (auto scope = DomainScopeIn(line.substr(path + 1))) return scope;
  }
  return std::nullopt;
}

// A container has PIDs of its own, or at least another root folder.
bool IsInContainer(const HostRoot& root, std::string_view pid) {
  const std::string status = root.Read(fmt::format("/proc/{}/status", pid)).value_or("");
  const auto pids = LineAfter(status, "NSpid:");
  if (pids && pids->find('\t') != std::string_view::npos) return true;
  const auto link = root.Path(fmt::format("/proc/{}/root", pid));
  std::error_code error;
  if (!root.is_real()) {
    const auto target = std::filesystem::read_symlink(link, error);
    return !error && target != "/";
  }
  struct stat top {};
  struct stat own {};
  if (::stat("/", &top) != 0 || ::stat(link.c_str(), &own) != 0) return false;
  return top.st_dev != own.st_dev || top.st_ino != own.st_ino;
}

// A file of an earlier process of this number was written before the process started.
bool IsOfThisProcess(const HostRoot& root, std::string_view pid, const PidFile& file) {
  constexpr size_t kStartTimeField = 22;
  constexpr int64_t kSlackS = 2;  // both times are rounded
  const std::string stat = root.Read(fmt::format("/proc/{}/stat", pid)).value_or("");
  const std::string kernel = root.Read("/proc/stat").value_or("");
  const auto ticks = ProcStatField(stat, kStartTimeField);
  const auto boot_s = ParseUint(LineAfter(kernel, "btime ").value_or(""));
  if (!ticks || !boot_s) return true;
  const auto ticks_per_s = static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
  return file.written_s + kSlackS >= static_cast<int64_t>(*boot_s + *ticks / ticks_per_s);
}

// virsh takes a number for an ID first.
bool IsNumber(std::string_view name) { return ParseUint(name).has_value(); }

LibvirtDomain ByScope(const DomainScope& scope, std::string_view guest_name) {
  if (!guest_name.empty() && MachineName(scope.id, guest_name) == scope.machine) {
    return {std::string(guest_name), IsNumber(guest_name) ? scope.id : std::string(guest_name)};
  }
  constexpr size_t kWholeBytesMax = 63;
  std::string name = ScopesName(scope);
  const bool is_whole =
      guest_name.empty() && scope.machine.size() <= kWholeBytesMax && !IsNumber(name);
  return {name, is_whole ? name : scope.id};
}

}  // namespace

LibvirtDomains ReadLibvirtDomains(const HostRoot& root) {
  const std::string folder(kFolder);
  LibvirtDomains domains;
  if (!IsRootsOwn(root, folder, S_IFDIR)) return domains;
  for (const std::string& name : root.List(folder).value_or(std::vector<std::string>{})) {
    std::string domain = WithoutEnds(name, "", ".pid");
    // The daemon's own file, unless a domain has that name.
    const bool is_daemons = domain == "driver" && !root.Exists(folder + "/driver.xml");
    if (domain.empty() || is_daemons) continue;
    const std::string path = fmt::format("{}/{}", folder, name);
    const auto pid = root.ReadTrimmed(path);
    if (!pid || !IsRootsOwn(root, path, S_IFREG)) continue;
    domains.insert_or_assign(*pid, PidFile{std::move(domain), WrittenAt(root, path)});
  }
  return domains;
}

std::optional<DomainScope> DomainScopeIn(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  const auto parts = Split(path.substr(1), '/');
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    const std::string scope = WithoutEnds(part, "machine-", ".scope");
    if (!scope.empty()) return ScopeOf(Unescaped(scope));
    const std::string machine = WithoutEnds(part, "", ".libvirt-qemu");
    if (!machine.empty() && i > 0) return ScopeOf(machine);
    const bool is_roots = (part.ends_with(".slice") && part != "user.slice") ||
                          part.ends_with(".partition") || (i == 0 && part == "machine");
    if (!is_roots) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<LibvirtDomain> LibvirtDomainOf(const HostRoot& root, std::string_view pid,
                                             const LibvirtDomains& domains,
                                             std::string_view guest_name) {
  const auto file = domains.find(pid);
  const auto scope = ScopeOfProcess(root, pid);
  const bool in_file = file != domains.end() && IsOfThisProcess(root, pid, file->second);
  if ((!in_file && !scope) || IsInContainer(root, pid)) return std::nullopt;
  if (!in_file) return ByScope(*scope, guest_name);
  const std::string& name = file->second.domain;
  if (!IsNumber(name)) return LibvirtDomain{name, name};
  return LibvirtDomain{name, scope ? scope->id : ""};
}

}  // namespace plectl::host
