// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/job_libraries.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <utility>

#include "host_tools/base/file.h"

namespace plectl::lab {
namespace {

bool IsExecutableElf(const std::filesystem::path& file) {
  if (::access(file.c_str(), X_OK) != 0) return false;
  std::array<char, 4> magic{};
  std::ifstream(file, std::ios::binary).read(magic.data(), magic.size());
  return std::string_view(magic.data(), magic.size()) ==
         "\x7f"
         "ELF";
}

}  // namespace

std::vector<SharedLibrary> MissingLibraries(const std::vector<SharedLibrary>& needed,
                                            const std::vector<SharedLibrary>& there) {
  std::vector<SharedLibrary> missing;
  for (const SharedLibrary& library : needed) {
    const bool is_there =
        std::ranges::find(there, library.name, &SharedLibrary::name) != there.end();
    if (!is_there) missing.push_back(library);
  }
  return missing;
}

Status AddLibrariesOf(const std::filesystem::path& program, LabJob& job) {
  if (!IsExecutableElf(program)) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(const auto needed, SharedLibrariesOf(program));
  if (needed.empty()) return OkStatus();
  // This program is in every lab, with its libraries.
  PLECTL_ASSIGN_OR_RETURN(const auto there,
                          SharedLibrariesOf(fmt::format("/proc/{}/exe", ::getpid())));
  for (const SharedLibrary& library : MissingLibraries(needed, there)) {
    PLECTL_ASSIGN_OR_RETURN(std::string content, ReadFile(library.file));
    job.files.insert_or_assign(fmt::format("{}/{}", kLibraryDirectory, library.name),
                               std::move(content));
  }
  return OkStatus();
}

}  // namespace plectl::lab
