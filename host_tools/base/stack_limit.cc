// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/stack_limit.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>

namespace plectl {
namespace {

constexpr rlim_t kUsual = rlim_t{8} << 20;   // what distributions have
constexpr rlim_t kNeeded = rlim_t{1} << 20;  // twice what the deepest call of ours takes

void GiveThreadsRoom() {
  pthread_attr_t attributes;
  if (::pthread_getattr_default_np(&attributes) != 0) return;
  size_t size = 0;
  if (::pthread_attr_getstacksize(&attributes, &size) == 0 && size < kUsual &&
      ::pthread_attr_setstacksize(&attributes, kUsual) == 0) {
    ::pthread_setattr_default_np(&attributes);
  }
  ::pthread_attr_destroy(&attributes);
}

}  // namespace

// The kernel looks at the limit whenever the stack grows, so raising it now still helps.
Status RaiseStackLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= kUsual) return OkStatus();
  GiveThreadsRoom();
  const rlimit usual{kUsual, std::max(limit.rlim_max, kUsual)};
  if (::setrlimit(RLIMIT_STACK, &usual) == 0) return OkStatus();
  const rlimit most{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_STACK, &most) == 0) limit = most;
  if (limit.rlim_cur >= kNeeded) return OkStatus();
  return Environment(
      fmt::format("the stack limit of {} KiB is too small, and may not be raised",
                  limit.rlim_cur >> 10),
      "start a shell with a higher hard limit (ulimit -Hs; /etc/security/limits.conf)");
}

}  // namespace plectl
