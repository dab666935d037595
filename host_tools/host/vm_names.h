// SPDX-License-Identifier: Apache-2.0
// What VMs are called. Their processes tell it themselves, so it is shown, never relied on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/host/libvirt_domains.h"

namespace plectl::host {

// Who a process is, as far as it tells.
struct ProgramIdentity {
  std::string program;  // "qemu-system-x86", printable; the script's, where an interpreter runs one
  std::string vm_name;  // of the VM that it runs; else its UUID; or "". As it is, in UTF-8
  bool is_libvirt_domain = false;
  std::string virsh = {};  // what virsh takes for the domain; "" when that is not sure
};

// Reads the process' comm, command line and cgroup, and libvirt's PID files. Bytes of names that
// are no UTF-8 become \xNN; names may hold line feeds and other control characters.
ProgramIdentity IdentityOf(const HostRoot& root, std::string_view pid);
// The same, for who asks about many processes.
ProgramIdentity IdentityOf(const HostRoot& root, std::string_view pid,
                           const LibvirtDomains& domains);

// The VM's name on the command line of QEMU (-name guest=NAME, else -uuid), firecracker (--id),
// crosvm and lkvm (--name), or cloud-hypervisor (--api-socket, it has no names); else "".
std::string VmNameIn(std::string_view program, const std::vector<std::string_view>& arguments);

}  // namespace plectl::host
