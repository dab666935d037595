// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/vm_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

constexpr size_t kTextBytesMax = 120;

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (escaped.size() > kTextBytesMax) return escaped + "...";
    if (c >= ' ' && c <= '~') {
      escaped += c;
    } else {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// The programs that run VMs, by the start of their name, and where they are told the VM's name.
struct VmProgram {
  std::string_view program;
  std::string_view option;
};
constexpr VmProgram kVmPrograms[] = {
    {"qemu", "-name"},       {"qemu", "--name"},
    {"kvm", "-name"},        {"qemu", "-uuid"},
    {"qemu", "--uuid"},      {"kvm", "-uuid"},
    {"firecracker", "--id"}, {"crosvm", "--name"},
    {"lkvm", "--name"},      {"cloud-hyperviso", "--api-socket"},
};

// The value of "--option VALUE" or "--option=VALUE".
std::optional<std::string_view> ValueOf(std::string_view option,
                                        const std::vector<std::string_view>& arguments) {
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == option && i + 1 < arguments.size()) return arguments[i + 1];
    if (argument.size() > option.size() && argument.starts_with(option) &&
        argument[option.size()] == '=') {
      return argument.substr(option.size() + 1);
    }
  }
  return std::nullopt;
}

// QEMU's "a,b=c" lists, in which ",," is a comma: the value of `key`, which may be left out in the
// first place.
std::string ListValue(std::string_view list, std::string_view key) {
  std::vector<std::string> fields(1);
  for (size_t i = 0; i < list.size(); ++i) {
    const bool comma = list[i] == ',';
    const bool twice = comma && i + 1 < list.size() && list[i + 1] == ',';
    if (comma && !twice) {
      fields.emplace_back();
      continue;
    }
    fields.back() += list[i];
    if (twice) ++i;
  }
  const std::string start = fmt::format("{}=", key);
  for (const std::string& field : fields) {
    if (field.starts_with(start)) return field.substr(start.size());
  }
  return fields.front().find('=') == std::string::npos ? fields.front() : "";
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

// "qemu-3-NAME" -> "NAME".
std::string AfterDomainId(std::string_view text) {
  constexpr std::string_view kStart = "qemu-";
  if (!text.starts_with(kStart)) return {};
  text.remove_prefix(kStart.size());
  const size_t end = text.find('-');
  if (end == std::string_view::npos || !ParseUint(text.substr(0, end))) return {};
  return std::string(text.substr(end + 1));
}

std::string WithoutEnds(std::string_view text, std::string_view start, std::string_view end) {
  if (!text.starts_with(start) || !text.ends_with(end) || text.size() < start.size() + end.size()) {
    return {};
  }
  return std::string(text.substr(start.size(), text.size() - start.size() - end.size()));
}

std::string DomainOfCgroup(const HostRoot& root, std::string_view pid) {
  const std::string text = root.Read(fmt::format("/proc/{}/cgroup", pid)).value_or("");
  for (const std::string_view line : Split(text, '\n')) {
    if (std::string domain = DomainNameIn(line); !domain.empty()) return domain;
  }
  return {};
}

// "python3 /usr/bin/kvm_stat -l" is kvm_stat.
std::string ProgramName(std::string_view comm, const std::vector<std::string_view>& arguments) {
  if (!comm.starts_with("python")) return std::string(comm);
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (!arguments[i].starts_with('-') && !arguments[i].empty()) {
      return std::string(BaseName(arguments[i]));
    }
  }
  return std::string(comm);
}

}  // namespace

std::string VmNameIn(std::string_view program, const std::vector<std::string_view>& arguments) {
  for (const VmProgram& known : kVmPrograms) {
    if (!program.starts_with(known.program)) continue;
    const auto value = ValueOf(known.option, arguments);
    if (!value) continue;
    if (known.option.ends_with("-name") && !program.starts_with("crosvm")) {
      if (std::string name = ListValue(*value, "guest"); !name.empty()) return name;
    } else if (known.option == "--api-socket") {
      return ListValue(*value, "path");
    } else {
      return std::string(*value);
    }
  }
  return {};
}

std::string DomainNameIn(std::string_view cgroup_path) {
  for (const std::string_view part : Split(cgroup_path, '/')) {
    const std::string scope = WithoutEnds(part, "machine-", ".scope");
    for (const std::string& machine : {Unescaped(scope), WithoutEnds(part, "", ".libvirt-qemu")}) {
      if (std::string name = AfterDomainId(machine); !name.empty()) return name;
    }
  }
  return {};
}

LibvirtDomains ReadLibvirtDomains(const HostRoot& root) {
  const std::string folder = "/run/libvirt/qemu";
  LibvirtDomains domains;
  for (const std::string& name : root.List(folder).value_or(std::vector<std::string>{})) {
    std::string domain = WithoutEnds(name, "", ".pid");
    if (domain.empty()) continue;
    const auto pid = root.ReadTrimmed(folder + "/" + name);
    if (pid) domains.emplace(*pid, std::move(domain));
  }
  return domains;
}

ProgramIdentity IdentityOf(const HostRoot& root, std::string_view pid) {
  return IdentityOf(root, pid, ReadLibvirtDomains(root));
}

ProgramIdentity IdentityOf(const HostRoot& root, std::string_view pid,
                           const LibvirtDomains& domains) {
  const std::string comm = root.ReadTrimmed(fmt::format("/proc/{}/comm", pid)).value_or("?");
  const std::string command_line = root.Read(fmt::format("/proc/{}/cmdline", pid)).value_or("");
  const std::vector<std::string_view> arguments = Split(command_line, '\0');
  // QEMU can be told to take another comm.
  std::string name = VmNameIn(comm, arguments);
  if (name.empty()) name = VmNameIn(BaseName(arguments.front()), arguments);
  // libvirt's own word first; the one in the cgroup may be shortened.
  const auto domain = domains.find(pid);
  const std::string in_file = domain == domains.end() ? "" : domain->second;
  const std::string in_cgroup = DomainOfCgroup(root, pid);
  if (!in_file.empty()) name = in_file;
  if (name.empty()) name = in_cgroup;
  return {Escaped(ProgramName(comm, arguments)), Escaped(name),
          !in_file.empty() || !in_cgroup.empty()};
}

std::string ShellWord(std::string_view text) {
  constexpr std::string_view kPlain = "._+:@%-";
  const bool is_plain =
      !text.empty() && text.front() != '-' && std::ranges::all_of(text, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               kPlain.find(c) != kPlain.npos;
      });
  if (is_plain) return std::string(text);
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

}  // namespace plectl::host
