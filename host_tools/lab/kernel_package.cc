// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_package.h"

#include <fmt/format.h>

#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/base/text.h"
#include "host_tools/lab/apt.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/kernel_modules.h"
#include "host_tools/lab/tool.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMetaPackage = "linux-image-cloud-amd64";
constexpr std::string_view kPackagePrefix = "linux-image-";
constexpr std::string_view kBackportsSuite = "bookworm-backports";

fs::path KernelsIn(const fs::path& lab_directory) { return lab_directory / "kernel"; }

// Names the directory of the kernel that `choice` means now.
fs::path CurrentFile(const fs::path& lab_directory, LabKernelChoice choice) {
  const bool debian12 = choice == LabKernelChoice::kDebian12;
  return KernelsIn(lab_directory) /
         (debian12 ? "current" : fmt::format("current-{}", LabKernelChoiceName(choice)));
}

Result<Apt> AptFor(LabKernelChoice choice, const fs::path& lab_directory,
                   const Progress& progress) {
  if (choice == LabKernelChoice::kDebian12) return Apt::OfMachine();
  progress(fmt::format("fetching the package lists of {}", kBackportsSuite));
  return Apt::OfSuite(lab_directory / "apt" / kBackportsSuite, kBackportsSuite);
}

Result<std::string> CurrentKernelPackage(const Apt& apt) {
  const Result<std::string> output = apt.Depends(kMetaPackage);
  if (!output) return Environment(output.error().message, apt.hint());
  const std::optional<std::string> package = ParseKernelPackage(*output);
  if (package) return *package;
  return Environment(fmt::format("apt-cache knows no {}", kMetaPackage), apt.hint());
}

std::string ReleaseOf(std::string_view package) {
  return std::string(package.substr(kPackagePrefix.size()));
}

fs::path DiskTree(const fs::path& kernel) { return kernel / "disk"; }

Result<fs::path> Unpack(const fs::path& deb, const fs::path& scratch) {
  fs::path unpacked = scratch / "unpacked";
  PLECTL_ASSIGN_OR_RETURN([[maybe_unused]] const std::string output,
                          RunTool({"dpkg-deb", "-x", deb.string(), unpacked.string()}, scratch));
  return unpacked;
}

Status CopyDiskModules(const fs::path& unpacked, const fs::path& to, const std::string& release) {
  std::vector<std::string> modules(kKvmModules.begin(), kKvmModules.end());
  modules.insert(modules.end(), kDiskModules.begin(), kDiskModules.end());
  return CopyModules(unpacked, to, release, modules);
}

// Takes from the package in `deb` what the lab needs, and moves the finished kernel to its place in
// one step.
Result<fs::path> UnpackKernel(const fs::path& deb, const std::string& release,
                              const fs::path& scratch, const fs::path& lab_directory) {
  const fs::path finished = scratch / "finished";
  PLECTL_ASSIGN_OR_RETURN(const fs::path unpacked, Unpack(deb, scratch));
  PLECTL_RETURN_IF_ERROR(
      CopyInto(unpacked / "boot" / ("vmlinuz-" + release), finished / "vmlinuz"));
  PLECTL_RETURN_IF_ERROR(
      CopyModules(unpacked, finished, release, {kKvmModules.begin(), kKvmModules.end()}));
  PLECTL_RETURN_IF_ERROR(CopyDiskModules(unpacked, DiskTree(finished), release));
  PLECTL_RETURN_IF_ERROR(WriteFileAtomically(finished / "release", release));
  fs::path place = KernelsIn(lab_directory) / deb.stem();
  PLECTL_RETURN_IF_ERROR(MoveInto(finished, place));
  return place;
}

Result<LabKernel> OpenKernel(const fs::path& directory) {
  PLECTL_ASSIGN_OR_RETURN(std::string release, ReadFile(directory / "release"));
  return LabKernel{directory, std::move(release)};
}

Result<LabKernel> FetchKernel(const fs::path& lab_directory, LabKernelChoice choice,
                              const Progress& progress) {
  PLECTL_ASSIGN_OR_RETURN(const Apt apt, AptFor(choice, lab_directory, progress));
  PLECTL_ASSIGN_OR_RETURN(const std::string package, CurrentKernelPackage(apt));
  progress(fmt::format("downloading and unpacking {}", package));
  PLECTL_ASSIGN_OR_RETURN(const ScratchDirectory scratch,
                          ScratchDirectory::Create(lab_directory / "scratch"));
  PLECTL_ASSIGN_OR_RETURN(const fs::path deb, apt.Download(package, scratch.path()));
  PLECTL_ASSIGN_OR_RETURN(const fs::path directory,
                          UnpackKernel(deb, ReleaseOf(package), scratch.path(), lab_directory));
  PLECTL_RETURN_IF_ERROR(
      WriteFileAtomically(CurrentFile(lab_directory, choice), directory.filename().string()));
  return OpenKernel(directory);
}

// There is another choice when this one cannot be had.
Error WithChoices(LabKernelChoice choice, const Error& cause) {
  Error error =
      WithContext(fmt::format("get the lab's kernel {}", LabKernelChoiceName(choice)), cause);
  if (choice == LabKernelChoice::kDebian12 || error.kind != ErrorKind::kEnvironment) return error;
  error.hint += error.hint.empty() ? "use --lab-kernel 6.1" : "; or use --lab-kernel 6.1";
  return error;
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

Result<LabKernel> EnsureKernel(const fs::path& lab_directory, LabKernelChoice choice, bool update,
                               const Progress& progress) {
  if (!update) {
    if (const auto current = ReadFile(CurrentFile(lab_directory, choice)); current) {
      return OpenKernel(KernelsIn(lab_directory) / *current);
    }
  }
  Result<LabKernel> kernel = FetchKernel(lab_directory, choice, progress);
  if (!kernel) return Fail(WithChoices(choice, kernel.error()));
  return kernel;
}

Result<fs::path> EnsureDiskModules(const fs::path& lab_directory, LabKernelChoice choice,
                                   const LabKernel& kernel, const Progress& progress) {
  fs::path tree = DiskTree(kernel.directory);
  std::error_code error;
  if (fs::exists(tree, error)) return tree;
  progress("fetching the disk drivers of the lab's kernel, once");
  PLECTL_ASSIGN_OR_RETURN(const Apt apt, AptFor(choice, lab_directory, progress));
  PLECTL_ASSIGN_OR_RETURN(const ScratchDirectory scratch,
                          ScratchDirectory::Create(lab_directory / "scratch"));
  PLECTL_ASSIGN_OR_RETURN(
      const fs::path deb,
      apt.Download(std::string(kPackagePrefix) + kernel.release, scratch.path()));
  if (deb.stem() != kernel.directory.filename()) {
    return Environment(fmt::format("the lab's kernel {} cannot be fetched again for its disk "
                                   "drivers: there is {} now",
                                   kernel.directory.filename().string(), deb.stem().string()),
                       "plectl lab build --update-kernel");
  }
  PLECTL_ASSIGN_OR_RETURN(const fs::path unpacked, Unpack(deb, scratch.path()));
  const fs::path finished = scratch.path() / "finished";
  PLECTL_RETURN_IF_ERROR(CopyDiskModules(unpacked, finished, kernel.release));
  PLECTL_RETURN_IF_ERROR(MoveInto(finished, tree));
  return tree;
}

}  // namespace plectl::lab
