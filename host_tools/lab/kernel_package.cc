// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_package.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "host_tools/base/child.h"
#include "host_tools/base/file.h"
#include "host_tools/base/text.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/required_files.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMetaPackage = "linux-image-cloud-amd64";
constexpr std::string_view kPackagePrefix = "linux-image-";
constexpr std::chrono::seconds kToolDeadline(120);
constexpr std::chrono::seconds kDownloadDeadline(600);

Status RunTool(std::vector<std::string> argv, const fs::path& working_directory,
               std::chrono::seconds deadline = kToolDeadline) {
  PLECTL_ASSIGN_OR_RETURN(const fs::path program, FindProgram(HostRoot(), argv.front()));
  ChildOptions options;
  options.argv = std::move(argv);
  options.argv.front() = program.string();
  options.working_directory = working_directory;
  PLECTL_ASSIGN_OR_RETURN([[maybe_unused]] const std::string output,
                          RunChildOrFail(options, deadline));
  return OkStatus();
}

Result<std::string> CurrentKernelPackage() {
  ChildOptions options;
  options.argv = {"apt-cache", "depends", std::string(kMetaPackage)};
  options.environment = {{"LC_ALL", "C"}};
  constexpr std::string_view kHint =
      "run `sudo apt-get update`; the lab needs Debian 12's package sources";
  Result<std::string> output = RunChildOrFail(options, kToolDeadline);
  if (!output) return Environment(output.error().message, std::string(kHint));
  const std::optional<std::string> package = ParseKernelPackage(*output);
  if (package) return *package;
  return Environment(fmt::format("apt-cache knows no {}", kMetaPackage), std::string(kHint));
}

// Downloads into the empty `directory`; returns the .deb.
Result<fs::path> Download(const std::string& package, const fs::path& directory) {
  Status downloaded = RunTool({"apt-get", "download", package}, directory, kDownloadDeadline);
  if (!downloaded) {
    return Environment(
        fmt::format("cannot download {}: {}", package, downloaded.error().message),
        "check the network and run `sudo apt-get update`; a lab built before works without it");
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".deb") return entry.path();
  }
  return Environment(fmt::format("apt-get download {} left no package", package));
}

Status CopyModules(const fs::path& from, const fs::path& to, const std::string& release) {
  PLECTL_RETURN_IF_ERROR(RunTool({"depmod", "-b", from.string(), release}, from));
  const fs::path modules = fs::path("lib/modules") / release;
  PLECTL_ASSIGN_OR_RETURN(const std::string dependencies, ReadFile(from / modules / "modules.dep"));
  PLECTL_ASSIGN_OR_RETURN(std::vector<std::string> files,
                          ParseModuleFiles(dependencies, {"kvm-intel", "kvm-amd"}));
  for (const std::string& file : files) {
    PLECTL_RETURN_IF_ERROR(CopyInto(from / modules / file, to / modules / file));
    // Debug information only: BTF and symbols stay.
    PLECTL_RETURN_IF_ERROR(RunTool({"strip", "-g", (to / modules / file).string()}, to));
  }
  for (const char* file : {"modules.order", "modules.builtin", "modules.builtin.modinfo"}) {
    PLECTL_RETURN_IF_ERROR(CopyInto(from / modules / file, to / modules / file));
  }
  return RunTool({"depmod", "-b", to.string(), release}, to);
}

std::string ReleaseOf(std::string_view package) {
  return std::string(package.substr(kPackagePrefix.size()));
}

fs::path KernelsIn(const fs::path& lab_directory) { return lab_directory / "kernel"; }
fs::path CurrentFile(const fs::path& lab_directory) { return KernelsIn(lab_directory) / "current"; }

// Unpacks `package` below `scratch` and moves the finished kernel to its place, in one step.
Result<fs::path> BuildKernel(const std::string& package, const fs::path& scratch,
                             const fs::path& lab_directory) {
  const fs::path unpacked = scratch / "unpacked";
  const fs::path finished = scratch / "finished";
  PLECTL_ASSIGN_OR_RETURN(const fs::path deb, Download(package, scratch));
  PLECTL_RETURN_IF_ERROR(RunTool({"dpkg-deb", "-x", deb.string(), unpacked.string()}, scratch));
  const std::string release = ReleaseOf(package);
  PLECTL_RETURN_IF_ERROR(
      CopyInto(unpacked / "boot" / ("vmlinuz-" + release), finished / "vmlinuz"));
  PLECTL_RETURN_IF_ERROR(CopyModules(unpacked, finished, release));
  PLECTL_RETURN_IF_ERROR(WriteFileAtomically(finished / "release", release));
  fs::path place = KernelsIn(lab_directory) / deb.stem();
  PLECTL_RETURN_IF_ERROR(MoveInto(finished, place));
  return place;
}

Result<LabKernel> OpenKernel(const fs::path& directory) {
  PLECTL_ASSIGN_OR_RETURN(std::string release, ReadFile(directory / "release"));
  return LabKernel{directory, std::move(release)};
}

Result<LabKernel> FetchKernel(const fs::path& lab_directory, const Progress& progress) {
  PLECTL_ASSIGN_OR_RETURN(const std::string package, CurrentKernelPackage());
  progress(fmt::format("downloading and unpacking {}", package));
  PLECTL_ASSIGN_OR_RETURN(const ScratchDirectory scratch,
                          ScratchDirectory::Create(lab_directory / "scratch"));
  PLECTL_ASSIGN_OR_RETURN(const fs::path directory,
                          BuildKernel(package, scratch.path(), lab_directory));
  PLECTL_RETURN_IF_ERROR(
      WriteFileAtomically(CurrentFile(lab_directory), directory.filename().string()));
  return OpenKernel(directory);
}

}  // namespace

std::optional<std::string> ParseKernelPackage(std::string_view output) {
  constexpr std::string_view kDepends = "Depends: ";
  for (const std::string_view raw_line : Split(output, '\n')) {
    std::string_view line = Trim(raw_line);
    if (!line.starts_with(kDepends)) continue;
    line.remove_prefix(kDepends.size());
    const bool plain =
        line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.+-") == std::string_view::npos;
    if (plain && line.starts_with(kPackagePrefix)) return std::string(line);
  }
  return std::nullopt;
}

Result<std::vector<std::string>> ParseModuleFiles(std::string_view modules_dep,
                                                  const std::vector<std::string>& modules) {
  std::set<std::string> files;
  for (const std::string& module : modules) {
    bool found = false;
    for (const std::string_view line : Split(modules_dep, '\n')) {
      const size_t colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      const std::string_view file = line.substr(0, colon);
      if (fs::path(file).filename() != module + ".ko") continue;
      found = true;
      files.emplace(file);
      for (const std::string_view needed : Split(line.substr(colon + 1), ' ')) {
        if (!needed.empty()) files.emplace(needed);
      }
    }
    if (!found) {
      return BadInput(fmt::format("the lab's kernel package has no module {}.ko", module));
    }
  }
  return std::vector<std::string>(files.begin(), files.end());
}

Result<LabKernel> EnsureKernel(const fs::path& lab_directory, bool update,
                               const Progress& progress) {
  if (!update) {
    if (const Result<std::string> current = ReadFile(CurrentFile(lab_directory)); current) {
      return OpenKernel(KernelsIn(lab_directory) / *current);
    }
  }
  return FetchKernel(lab_directory, progress);
}

}  // namespace plectl::lab
