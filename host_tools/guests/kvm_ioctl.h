// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <string_view>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl::guests {

// ioctl(2) on KVM descriptors that cannot be called with an argument of another size than the
// kernel will read or write, and that names the request when it fails. Use the two macros below.

template <unsigned long kRequest, class T>
Status KvmIoctl(const Fd& fd, std::string_view name, T* argument) {
  static_assert(_IOC_SIZE(kRequest) == sizeof(T), "argument size differs from the request's");
  if (::ioctl(fd.get(), kRequest, argument) >= 0) return OkStatus();
  return SystemFailure(fmt::format("ioctl {}", name), errno);
}

template <unsigned long kRequest>
Result<int> KvmIoctlValue(const Fd& fd, std::string_view name, unsigned long argument) {
  static_assert(_IOC_SIZE(kRequest) == 0, "this request takes a pointer");
  const int value = ::ioctl(fd.get(), kRequest, argument);
  if (value < 0) return SystemFailure(fmt::format("ioctl {}({})", name, argument), errno);
  return value;
}

}  // namespace plectl::guests

// KVM_IOCTL(fd, KVM_GET_REGS, &regs): a request with a pointer argument. Gives a Status.
#define KVM_IOCTL(fd, request, pointer) \
  ::plectl::guests::KvmIoctl<(request)>((fd), #request, (pointer))
// KVM_IOCTL_VALUE(fd, KVM_CREATE_VM, 0): a request with a plain argument. Gives a Result<int>.
#define KVM_IOCTL_VALUE(fd, request, value) \
  ::plectl::guests::KvmIoctlValue<(request)>((fd), #request, (value))
