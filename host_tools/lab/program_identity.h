// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace plectl::lab {

// A text that differs between any two builds of this program or of the shared libraries it runs
// with: the GNU build ID of each (ld(1), --build-id), or size and time of a file without one. Far
// cheaper than hashing the files.
std::string ProgramIdentity();

}  // namespace plectl::lab
