// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_package.h"

#include <fmt/format.h>

#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/base/text.h"
#include "host_tools/lab/apt.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/kernel_files.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMetaPackage = "linux-image-cloud-amd64";
constexpr std::string_view kPackagePrefix = "linux-image-";

fs::path KernelsIn(const fs::path& lab_directory) { return lab_directory / "kernel"; }

// Names the directory of the kernel that `choice` means now.
Result<fs::path> CurrentFile(const fs::path& lab_directory, const LabKernelChoice& choice) {
  if (!choice.name.empty()) return KernelsIn(lab_directory) / ("release-" + choice.name);
  PLECTL_ASSIGN_OR_RETURN(const std::string identity, IdentityOfFiles(choice));
  return KernelsIn(lab_directory) / ("files-" + identity);
}

// What `Depends:` names in the output of `apt-cache depends`.
std::vector<std::string_view> DependenciesIn(std::string_view output) {
  constexpr std::string_view kDepends = "Depends: ";
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789.+-";
  std::vector<std::string_view> names;
  for (const std::string_view raw_line : Split(output, '\n')) {
    std::string_view line = Trim(raw_line);
    if (!line.starts_with(kDepends)) continue;
    line.remove_prefix(kDepends.size());
    if (line.find_first_not_of(kPlain) == std::string_view::npos) names.push_back(line);
  }
  return names;
}

Result<std::string> CurrentKernelPackage(const Apt& apt) {
  PLECTL_ASSIGN_OR_RETURN(const std::string output, apt.Depends(kMetaPackage));
  const std::optional<std::string> package = ParseKernelPackage(output);
  if (package) return *package;
  return Environment(fmt::format("apt-cache knows no {}", kMetaPackage), apt.hint());
}

// Unpacks the newest kernel of a release into `unpacked`; the name of its main package with its
// version.
Result<std::string> FetchRelease(const fs::path& lab_directory, const DebianRelease& release,
                                 const fs::path& unpacked, const Progress& progress) {
  PLECTL_ASSIGN_OR_RETURN(const Apt apt,
                          Apt::OfRelease(lab_directory / "apt" / release.name, release, progress));
  PLECTL_ASSIGN_OR_RETURN(const std::string package, CurrentKernelPackage(apt));
  progress(fmt::format("downloading and unpacking {}", package));
  PLECTL_ASSIGN_OR_RETURN(const std::string depends, apt.Depends(package));
  PLECTL_ASSIGN_OR_RETURN(const std::vector<fs::path> debs,
                          apt.Download(ParseKernelParts(package, depends), unpacked / ".."));
  PLECTL_RETURN_IF_ERROR(UnpackDebs(debs, unpacked));
  for (const fs::path& deb : debs) {
    if (deb.filename().string().starts_with(package + "_")) return deb.stem().string();
  }
  return Internal(fmt::format("apt-get has not downloaded {}", package));
}

Result<LabKernel> OpenKernel(const fs::path& directory) {
  PLECTL_ASSIGN_OR_RETURN(std::string release, ReadFile(directory / "release"));
  return LabKernel{directory, std::move(release)};
}

Result<LabKernel> MakeKernel(const fs::path& lab_directory, const LabKernelChoice& choice,
                             const fs::path& current, const Progress& progress) {
  PLECTL_ASSIGN_OR_RETURN(const ScratchDirectory scratch,
                          ScratchDirectory::Create(lab_directory / "scratch"));
  fs::path source = scratch.path() / "unpacked";
  std::string name = current.filename().string() + ".kernel";
  if (const DebianRelease* release = FindDebianRelease(choice.name); release != nullptr) {
    PLECTL_RETURN_IF_ERROR(MakeDirectories(source));
    PLECTL_ASSIGN_OR_RETURN(name, FetchRelease(lab_directory, *release, source, progress));
  } else if (!choice.tree.empty()) {
    source = choice.tree;
  } else {
    progress(fmt::format("unpacking {}", LabKernelName(choice)));
    PLECTL_RETURN_IF_ERROR(UnpackDebs(choice.debs, source));
  }
  const fs::path finished = scratch.path() / "finished";
  PLECTL_RETURN_IF_ERROR(TakeKernelFiles(source, LabKernelName(choice), finished));
  const fs::path place = KernelsIn(lab_directory) / name;
  PLECTL_RETURN_IF_ERROR(MoveInto(finished, place));
  PLECTL_RETURN_IF_ERROR(WriteFileAtomically(current, name));
  return OpenKernel(place);
}

}  // namespace

std::optional<std::string> ParseKernelPackage(std::string_view output) {
  for (const std::string_view name : DependenciesIn(output)) {
    if (name.starts_with(kPackagePrefix)) return std::string(name);
  }
  return std::nullopt;
}

std::vector<std::string> ParseKernelParts(std::string_view package, std::string_view output) {
  std::vector<std::string> parts = {std::string(package)};
  const std::string_view release = package.substr(std::min(kPackagePrefix.size(), package.size()));
  for (const std::string_view name : DependenciesIn(output)) {
    const bool same = name.starts_with("linux-") && name.ends_with(fmt::format("-{}", release));
    if (same && name != package) parts.emplace_back(name);
  }
  return parts;
}

fs::path DiskModulesOf(const LabKernel& kernel) { return kernel.directory / kDiskTree; }

std::string ConfigOf(const LabKernel& kernel) {
  return ReadFile(kernel.directory / kConfigName).value_or("");
}

Result<LabKernel> EnsureKernel(const fs::path& lab_directory, const LabKernelChoice& choice,
                               bool update, const Progress& progress) {
  PLECTL_ASSIGN_OR_RETURN(const fs::path current, CurrentFile(lab_directory, choice));
  if (!update) {
    if (const auto name = ReadFile(current); name) {
      return OpenKernel(KernelsIn(lab_directory) / *name);
    }
  }
  Result<LabKernel> kernel = MakeKernel(lab_directory, choice, current, progress);
  if (kernel) return kernel;
  return Fail(
      WithContext(fmt::format("get the lab's kernel {}", LabKernelName(choice)), kernel.error()));
}

}  // namespace plectl::lab
