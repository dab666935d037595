// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/vm_names.h"

#include <fmt/format.h>

#include <optional>

#include "host_tools/base/text.h"
#include "host_tools/base/utf8.h"

namespace plectl::host {
namespace {

constexpr size_t kProgramBytesMax = 120;
constexpr size_t kNameBytesMax = 1024;  // libvirt's are at most 251: they are names of files

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
  const auto domain = LibvirtDomainOf(root, pid, domains, name);
  if (domain) name = domain->name;
  return {Printable(Shortened(ProgramName(comm, arguments), kProgramBytesMax)),
          ValidUtf8(Shortened(name, kNameBytesMax)), domain.has_value(),
          domain ? domain->virsh : ""};
}

}  // namespace plectl::host
