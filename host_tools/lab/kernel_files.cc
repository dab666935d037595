// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "host_tools/base/file.h"
#include "host_tools/base/sha256.h"
#include "host_tools/base/text.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/kernel_image.h"
#include "host_tools/lab/kernel_modules.h"
#include "host_tools/lab/kernel_tree.h"
#include "host_tools/lab/tool.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

// What `make bindeb-pkg` writes beside the kernel; a gigabyte of it.
bool IsOfNoUse(std::string_view package) {
  return package.ends_with("-dbg") || package.ends_with("-dbgsym") ||
         package.starts_with("linux-headers-") || package.starts_with("linux-libc-dev");
}

Status AppendIdentity(const fs::path& file, std::string& text) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    return SystemFailure(fmt::format("stat {}", file.string()), errno);
  }
  text += fmt::format("{} {} {} {}.{}\n", file.string(), status.st_ino, status.st_size,
                      status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  return OkStatus();
}

// The modules that a kernel is asked for; those of KVM first.
std::vector<std::string> ModulesFor(bool disk) {
  std::vector<std::string> modules(kKvmModules.begin(), kKvmModules.end());
  if (disk) modules.insert(modules.end(), kDiskModules.begin(), kDiskModules.end());
  return modules;
}

std::string ConfigFor(const KernelTree& tree, const fs::path& scratch) {
  if (!tree.config.empty()) return ReadFile(tree.config).value_or("");
  return ConfigInImage(tree.image, scratch).value_or("");
}

}  // namespace

Status UnpackDebs(const std::vector<fs::path>& debs, const fs::path& directory) {
  PLECTL_RETURN_IF_ERROR(MakeDirectories(directory));
  for (const fs::path& deb : debs) {
    PLECTL_ASSIGN_OR_RETURN(const std::string package,
                            RunTool({"dpkg-deb", "-f", deb.string(), "Package"}, directory));
    if (IsOfNoUse(TrimRight(package))) continue;
    PLECTL_ASSIGN_OR_RETURN(
        [[maybe_unused]] const std::string output,
        RunTool({"dpkg-deb", "-x", deb.string(), directory.string()}, directory));
  }
  return OkStatus();
}

Status TakeKernelFiles(const fs::path& source, const std::string& what, const fs::path& finished) {
  PLECTL_ASSIGN_OR_RETURN(const KernelTree tree, FindKernelTree(source, what));
  PLECTL_RETURN_IF_ERROR(MakeDirectories(finished / kDiskTree));
  PLECTL_RETURN_IF_ERROR(CopyInto(tree.image, finished / "vmlinuz"));
  if (!tree.modules.empty()) {
    const fs::path staged = finished.parent_path() / "staged";
    PLECTL_RETURN_IF_ERROR(StageModules(tree.modules, tree.release, staged));
    PLECTL_RETURN_IF_ERROR(CopyModules(staged, finished, tree.release, ModulesFor(false)));
    PLECTL_RETURN_IF_ERROR(
        CopyModules(staged, finished / kDiskTree, tree.release, ModulesFor(true)));
  }
  if (const std::string config = ConfigFor(tree, finished.parent_path()); !config.empty()) {
    PLECTL_RETURN_IF_ERROR(WriteFileAtomically(finished / kConfigName, config));
  }
  return WriteFileAtomically(finished / "release", tree.release);
}

Result<std::string> IdentityOfFiles(const LabKernelChoice& choice) {
  std::vector<fs::path> files = choice.debs;
  if (!choice.tree.empty()) {
    PLECTL_ASSIGN_OR_RETURN(const KernelTree tree, FindKernelTree(choice.tree, choice.tree));
    files = {tree.image};
    if (!tree.config.empty()) files.push_back(tree.config);
    std::error_code error;
    fs::recursive_directory_iterator entries(tree.modules, error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
      if (entries->is_regular_file(error)) files.push_back(entries->path());
    }
  }
  std::ranges::sort(files);
  std::string text;
  for (const fs::path& file : files) PLECTL_RETURN_IF_ERROR(AppendIdentity(file, text));
  return Sha256Hex(text).substr(0, 16);
}

}  // namespace plectl::lab
