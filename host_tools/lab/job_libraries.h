// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/lab/job.h"
#include "host_tools/lab/shared_libraries.h"

namespace plectl::lab {

// Those of `needed` that `there` has none of the same name of.
std::vector<SharedLibrary> MissingLibraries(const std::vector<SharedLibrary>& needed,
                                            const std::vector<SharedLibrary>& there);

// The shared libraries among the job's files: by the name of the file and by the name under which
// programs ask for it (its soname) -> path in the lab.
std::map<std::string, std::string> GivenLibraries(const LabJob& job);

// Adds the shared libraries that `programs`, files of this machine, need and the lab does not have
// by itself: the job's own ones, and else this machine's. Call it when the job has all its files.
// What is neither an executable ELF nor a shared library needs none. Environment error when a
// library is neither in the job nor on this machine.
Status AddLibrariesOf(const std::vector<std::filesystem::path>& programs, LabJob& job);

}  // namespace plectl::lab
