// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/job_libraries.h"

#include <elf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/lab/soname.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

// Where the loader looks without help.
constexpr std::array<std::string_view, 4> kLoaderDirectories = {
    kLibraryDirectory, "/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib"};

// As much of the file as tells what it is; empty when it cannot be read.
std::string HeaderOf(const fs::path& file) {
  std::string header(sizeof(Elf64_Ehdr), '\0');
  std::ifstream(file, std::ios::binary).read(header.data(), std::ssize(header));
  return header;
}

// What `file`, which may be anything, wants to be loaded with it.
Result<std::vector<SharedLibrary>> WantedByFile(const fs::path& file) {
  const std::string header = HeaderOf(file);
  const bool is_program = header.starts_with(ELFMAG) && ::access(file.c_str(), X_OK) == 0;
  if (!is_program && !IsSharedObject(header)) return std::vector<SharedLibrary>();
  return WantedLibrariesOf(file);
}

bool IsWhereTheLoaderLooks(const fs::path& file) {
  return std::ranges::find(kLoaderDirectories, file.parent_path().string()) !=
         kLoaderDirectories.end();
}

std::string PathOf(const SharedLibrary& library) {
  return fmt::format("{}/{}", kLibraryDirectory, library.name);
}

// A library of the job, which `file` is in the lab, under the name that programs ask for.
void PutWhereTheLoaderLooks(const SharedLibrary& library, const fs::path& file, LabJob& job) {
  if (file.filename() == library.name && IsWhereTheLoaderLooks(file)) return;
  job.files.emplace(PathOf(library), job.files.at(file.string()));
}

Status AddFromThisMachine(const fs::path& program, const SharedLibrary& library, LabJob& job) {
  if (library.file.empty()) {
    return Environment(fmt::format("{} needs the shared library {}, which is neither on this "
                                   "machine nor among the files given",
                                   program.string(), library.name),
                       "install it, or take it along by --file too");
  }
  if (job.files.contains(PathOf(library))) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(job.files[PathOf(library)], ReadFile(library.file));
  return OkStatus();
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

std::map<std::string, std::string> GivenLibraries(const LabJob& job) {
  std::map<std::string, std::string> given;
  for (const auto& [path, content] : job.files) {
    if (!IsSharedObject(content)) continue;
    given.emplace(fs::path(path).filename().string(), path);
    if (const auto soname = SonameOf(content)) given.emplace(*soname, path);
  }
  return given;
}

Status AddLibrariesOf(const std::vector<fs::path>& programs, LabJob& job) {
  if (programs.empty()) return OkStatus();
  const std::map<std::string, std::string> given = GivenLibraries(job);
  // This program is in every lab, with its libraries.
  PLECTL_ASSIGN_OR_RETURN(const auto there,
                          SharedLibrariesOf(fmt::format("/proc/{}/exe", ::getpid())));
  for (const fs::path& program : programs) {
    PLECTL_ASSIGN_OR_RETURN(const auto wanted, WantedByFile(program));
    for (const SharedLibrary& library : MissingLibraries(wanted, there)) {
      const auto own = given.find(library.name);
      if (own != given.end()) {
        PutWhereTheLoaderLooks(library, own->second, job);
      } else {
        PLECTL_RETURN_IF_ERROR(AddFromThisMachine(program, library, job));
      }
    }
  }
  return OkStatus();
}

}  // namespace plectl::lab
