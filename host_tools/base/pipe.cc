// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace plectl {

Result<Pipe> MakePipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return SystemFailure("pipe", errno);
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

}  // namespace plectl
