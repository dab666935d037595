// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::host {

// Who may open /dev/kvm. A reload makes the node anew, root's and closed to others; udev, where
// there is one, knows its own rules only, and nothing of what was set by hand.
struct DeviceNode {
  unsigned uid = 0;
  unsigned gid = 0;
  unsigned mode = 0;                          // permission bits
  std::map<std::string, std::string> xattrs;  // ACL and label, in hex

  bool operator==(const DeviceNode&) const = default;
};

// Nothing when there is no node, or only a link.
std::optional<DeviceNode> ReadDeviceNode(const HostRoot& root);

// Makes the node what it was; an Environment error that says what it is now when that fails.
Status PutDeviceNodeBack(const HostRoot& root, const DeviceNode& wanted);

// Waits until udev has done what it does to new nodes, at most some seconds; at once without udev.
void WaitForUdev(const HostRoot& root);

// "user:group mode 0660 with an ACL".
std::string DeviceNodeText(const DeviceNode& node);

}  // namespace plectl::host
