// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/fd.h"

#include <unistd.h>

namespace plectl {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    Reset();
    fd_ = std::exchange(other.fd_, kNone);
  }
  return *this;
}

// close() must not be retried on EINTR: Linux has freed the descriptor by then (close(2)).
void Fd::Reset() {
  if (const int fd = std::exchange(fd_, kNone); fd != kNone) ::close(fd);
}

}  // namespace plectl
