// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/required_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <set>
#include <string>
#include <vector>

namespace plectl::lab {
namespace {

constexpr std::array<std::string_view, 6> kProgramDirectories = {
    "/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin"};

struct Requirement {
  std::string_view name;  // a program, or the absolute path of a file
  std::string_view package;
};

constexpr std::array<Requirement, 14> kRequirements = {{
    {"apt-get", "apt"},
    {"dpkg-deb", "dpkg"},
    {"depmod", "kmod"},
    {"strip", "binutils"},
    {"nm", "binutils"},
    {"objcopy", "binutils"},
    {"ldd", "libc-bin"},
    {"xorriso", "xorriso"},
    {kBusybox, "busybox-static"},
    {kIsolinux, "isolinux"},
    {kDiskBootSector, "isolinux"},
    {kLdlinux, "syslinux-common"},
    {kBiosImage, "bochsbios"},
    {kVgaBiosImage, "vgabios"},
}};

bool IsThere(const HostRoot& root, std::string_view name) {
  if (name.find('/') != std::string_view::npos) return root.Exists(name);
  return FindProgram(root, name).has_value();
}

// An engine given as a path is in no package.
Status CheckEngine(const HostRoot& root, std::string_view engine) {
  if (IsThere(root, engine)) return OkStatus();
  return Environment(fmt::format("there is no emulator {}", engine),
                     "give --lab-engine a Bochs; plectl docs lab says how to get one");
}

}  // namespace

Result<std::filesystem::path> FindProgram(const HostRoot& root, std::string_view name) {
  for (const std::string_view directory : kProgramDirectories) {
    const std::string path = fmt::format("{}/{}", directory, name);
    if (root.Exists(path)) return root.Path(path);
  }
  return Environment(fmt::format("there is no program {}", name));
}

Result<std::filesystem::path> EngineFile(const HostRoot& root, std::string_view engine) {
  if (engine.find('/') != std::string_view::npos) return std::filesystem::path(engine);
  return FindProgram(root, engine);
}

Status CheckRequiredFiles(const HostRoot& root, std::string_view engine) {
  std::vector<std::string_view> missing;
  std::set<std::string_view> packages;
  const auto require = [&](std::string_view name, std::string_view package) {
    if (IsThere(root, name)) return;
    missing.push_back(name);
    packages.insert(package);
  };
  for (const Requirement& requirement : kRequirements)
    require(requirement.name, requirement.package);
  if (engine.find('/') == std::string_view::npos) require(engine, "bochs");
  if (missing.empty()) return CheckEngine(root, engine);
  return Environment(
      fmt::format("the lab needs what is not installed: {}", fmt::join(missing, ", ")),
      fmt::format("sudo apt-get install {}", fmt::join(packages, " ")));
}

}  // namespace plectl::lab
