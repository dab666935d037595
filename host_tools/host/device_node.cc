// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/device_node.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "host_tools/base/child.h"

namespace plectl::host {
namespace {

constexpr std::string_view kDevice = "/dev/kvm";
constexpr const char* kAcl = "system.posix_acl_access";
constexpr std::array kXattrs = {kAcl, "security.selinux"};
constexpr unsigned kPermissionBits = 07777;

std::string ToHex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::strtoul(hex.substr(i, 2).c_str(), nullptr, 16));
  }
  return bytes;
}

std::optional<std::string> Xattr(const std::filesystem::path& path, const char* name) {
  std::array<char, 4096> value{};
  const ssize_t size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
  if (size < 0) return std::nullopt;
  return ToHex({value.data(), static_cast<size_t>(size)});
}

// What fails here shows when the node is read again.
void SetXattr(const std::filesystem::path& path, const char* name, const DeviceNode& wanted) {
  const auto found = wanted.xattrs.find(name);
  if (found == wanted.xattrs.end()) {
    ::lremovexattr(path.c_str(), name);
    return;
  }
  const std::string value = FromHex(found->second);
  ::lsetxattr(path.c_str(), name, value.data(), value.size(), 0);
}

}  // namespace

std::optional<DeviceNode> ReadDeviceNode(const HostRoot& root) {
  const std::filesystem::path path = root.Path(kDevice);
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || S_ISLNK(status.st_mode)) return std::nullopt;
  DeviceNode node{status.st_uid, status.st_gid, status.st_mode & kPermissionBits, {}};
  for (const char* name : kXattrs) {
    if (auto value = Xattr(path, name)) node.xattrs.emplace(name, *std::move(value));
  }
  return node;
}

Status PutDeviceNodeBack(const HostRoot& root, const DeviceNode& wanted) {
  const std::filesystem::path path = root.Path(kDevice);
  std::optional<DeviceNode> now = ReadDeviceNode(root);
  if (!now) return Environment("/dev/kvm is not there", "see dmesg, and what udev did");
  if (*now == wanted) return OkStatus();
  const bool done = (now->uid == wanted.uid && now->gid == wanted.gid) ||
                    ::lchown(path.c_str(), wanted.uid, wanted.gid) == 0;
  const int chown_error = done ? 0 : errno;
  // The ACL after the mode, whose group bits are the ACL's mask.
  ::chmod(path.c_str(), wanted.mode);
  for (const char* name : kXattrs) SetXattr(path, name, wanted);
  now = ReadDeviceNode(root);
  if (now == wanted) return OkStatus();
  return Environment(
      fmt::format("/dev/kvm was {} and is {}{}", DeviceNodeText(wanted),
                  now ? DeviceNodeText(*now) : "gone",
                  chown_error != 0 ? fmt::format(" (chown: {})", std::strerror(chown_error)) : ""),
      fmt::format("sudo chown {}:{} /dev/kvm && sudo chmod {:04o} /dev/kvm", wanted.uid, wanted.gid,
                  wanted.mode));
}

void WaitForUdev(const HostRoot& root) {
  if (!root.is_real() || !root.Exists("/run/udev/control")) return;
  ChildOptions options;
  options.argv = {"udevadm", "settle", "--timeout=5"};
  static_cast<void>(RunChild(options, std::chrono::seconds(10)).has_value());
}

std::string DeviceNodeText(const DeviceNode& node) {
  return fmt::format("{}:{} mode {:04o}{}", node.uid, node.gid, node.mode,
                     node.xattrs.contains(kAcl) ? " with an ACL" : "");
}

}  // namespace plectl::host
