// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace plectl::bench {

// The CPUs that this process may run on, ascending; never empty.
std::vector<int> AllowedCpus();

}  // namespace plectl::bench
