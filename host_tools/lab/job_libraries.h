// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/lab/job.h"
#include "host_tools/lab/shared_libraries.h"

namespace plectl::lab {

// Those of `needed` that `there` has none of the same name of.
std::vector<SharedLibrary> MissingLibraries(const std::vector<SharedLibrary>& needed,
                                            const std::vector<SharedLibrary>& there);

// Adds the shared libraries that `program`, a file of this machine, needs and the lab does not have
// by itself. Nothing when it is no executable ELF. Environment error when one is not installed.
Status AddLibrariesOf(const std::filesystem::path& program, LabJob& job);

}  // namespace plectl::lab
