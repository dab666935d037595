// SPDX-License-Identifier: Apache-2.0
// What VMs are called. Their processes tell it themselves, so it is shown, never relied on.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// Who a process is, as far as it tells.
struct ProgramIdentity {
  std::string program;  // "qemu-system-x86"; the script's, where an interpreter runs one
  std::string vm_name;  // of the VM that it runs; else its UUID; or ""
  bool is_libvirt_domain = false;
};

// Reads the process' comm, command line and cgroup, and libvirt's PID files. All texts are one line
// of printable ASCII: what is not is escaped as \xNN.
ProgramIdentity IdentityOf(const HostRoot& root, std::string_view pid);

// PID -> domain's name, of all of libvirt's PID files: for who asks about many processes.
using LibvirtDomains = std::map<std::string, std::string, std::less<>>;
LibvirtDomains ReadLibvirtDomains(const HostRoot& root);
ProgramIdentity IdentityOf(const HostRoot& root, std::string_view pid,
                           const LibvirtDomains& domains);

// The VM's name on the command line of QEMU (-name guest=NAME, else -uuid), firecracker (--id),
// crosvm and lkvm (--name), or cloud-hypervisor (--api-socket, it has no names); else "".
std::string VmNameIn(std::string_view program, const std::vector<std::string_view>& arguments);

// The domain's name in a cgroup path of systemd-machined or libvirt, else "":
// ".../machine-qemu\x2d3\x2dNAME.scope/libvirt/emulator", "/machine/qemu-3-NAME.libvirt-qemu".
// libvirt shortens long names there.
std::string DomainNameIn(std::string_view cgroup_path);

// `text` as one word of a shell command.
std::string ShellWord(std::string_view text);

}  // namespace plectl::host
