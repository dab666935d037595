// SPDX-License-Identifier: Apache-2.0
// Which processes are domains of this host's libvirt, by what only root can have written: its PID
// files and cgroups. What a process says of itself is no proof, and what another libvirt runs in a
// container (KubeVirt, OpenStack) is none of this one's domains.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// PID -> the name in libvirt's PID file, where nobody but root can write.
struct PidFile {
  std::string domain;
  int64_t written_s = 0;  // since 1970
};
using LibvirtDomains = std::map<std::string, PidFile, std::less<>>;
LibvirtDomains ReadLibvirtDomains(const HostRoot& root);

// A cgroup that systemd-machined or libvirt has made for a domain.
struct DomainScope {
  std::string id;       // "3"
  std::string machine;  // "qemu-3-web1": libvirt drops and shortens in names what it cannot have
};
// In a path as in /proc/PID/cgroup, or nothing:
// "/machine.slice/machine-qemu\x2d3\x2dNAME.scope/..." or, without systemd,
// "/machine/qemu-3-NAME.libvirt-qemu/...". Only below slices and partitions, which root makes;
// users can name cgroups below their own as they like.
std::optional<DomainScope> DomainScopeIn(std::string_view path);

struct LibvirtDomain {
  std::string name;   // as libvirt has it; cut and with gaps where only its cgroup tells
  std::string virsh;  // what virsh takes for it: the name, else the ID; "" when neither is sure
};
// What this host's libvirt says of a process. `guest_name` is what its command line says.
std::optional<LibvirtDomain> LibvirtDomainOf(const HostRoot& root, std::string_view pid,
                                             const LibvirtDomains& domains,
                                             std::string_view guest_name);

}  // namespace plectl::host
