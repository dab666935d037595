// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/result.h"

namespace plectl {

// Once, at the start of main(): raises a stack limit that is too small for us and for the programs
// that we start (`ulimit -s 64`), and gives threads, whose stacks follow that limit, enough in any
// case. Environment error when the limit stays too small: the next call would be a segmentation
// fault.
Status RaiseStackLimit();

}  // namespace plectl
