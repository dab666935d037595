// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/sysctl_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "host_tools/base/text.h"
#include "host_tools/host/modprobe_config.h"

namespace plectl::host {
namespace {

constexpr std::array<std::string_view, 5> kFolders = {"/etc/sysctl.d", "/run/sysctl.d",
                                                      "/usr/local/lib/sysctl.d",
                                                      "/usr/lib/sysctl.d", "/lib/sysctl.d"};

std::string Dotted(std::string_view name) {
  std::string dotted(name);
  std::ranges::replace(dotted, '/', '.');
  return dotted;
}

// The last line of a file that sets it, from 1; 0 when none does.
size_t LineIn(std::string_view text, std::string_view name) {
  size_t found = 0;
  size_t number = 0;
  for (std::string_view line : Split(text, '\n')) {
    ++number;
    line = Trim(line);
    if (line.starts_with('-')) line.remove_prefix(1);
    const size_t equals = line.find('=');
    if (equals != std::string_view::npos && Dotted(Trim(line.substr(0, equals))) == name) {
      found = number;
    }
  }
  return found;
}

// File name -> host path, each name from the first folder that has it; sysctl.conf comes last.
std::vector<std::string> Files(const HostRoot& root) {
  std::map<std::string, std::string> files;
  for (const std::string_view folder : kFolders) {
    for (const std::string& name : root.List(folder).value_or(std::vector<std::string>{})) {
      if (name.ends_with(".conf")) files.emplace(name, fmt::format("{}/{}", folder, name));
    }
  }
  std::vector<std::string> paths;
  for (const auto& [name, path] : files) paths.push_back(path);
  paths.emplace_back("/etc/sysctl.conf");
  return paths;
}

}  // namespace

std::string FindSysctlPlace(const HostRoot& root, std::string_view name) {
  std::string place;
  const std::string command_line = root.ReadTrimmed(kCommandLinePath).value_or("");
  for (const std::string_view word : Split(command_line, ' ')) {
    const std::string dotted = Dotted(word.substr(0, word.find('=')));
    if (dotted == fmt::format("sysctl.{}", name)) place = kCommandLinePath;
  }
  for (const std::string& path : Files(root)) {
    const size_t line = LineIn(root.Read(path).value_or(""), name);
    if (line != 0) place = fmt::format("{}:{}", path, line);
  }
  return place;
}

}  // namespace plectl::host
