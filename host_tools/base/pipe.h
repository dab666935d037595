// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl {

// A pipe(7) whose ends are closed on exec.
struct Pipe {
  Fd read_end;
  Fd write_end;
};
Result<Pipe> MakePipe();

}  // namespace plectl
