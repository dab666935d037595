// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/base/sha256.h"
#include "host_tools/base/text.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/kernel_config.h"
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

// What is in a file. A build can leave size and time as they were.
Status AppendContent(const fs::path& file, std::string& text) {
  PLECTL_ASSIGN_OR_RETURN(const std::string content, ReadFile(file));
  text += fmt::format("{} {}\n", file.filename().string(), Sha256Hex(content));
  return OkStatus();
}

// The modules that a kernel is asked for; those of KVM first.
std::vector<std::string> ModulesFor(bool disk) {
  std::vector<std::string> modules(kKvmModules.begin(), kKvmModules.end());
  if (disk) modules.insert(modules.end(), kDiskModules.begin(), kDiskModules.end());
  return modules;
}

// The modules that the lab takes by a tree's own list of them, some ten of thousands. Nothing where
// the list names none, or files that are not there: depmod knows them better once they are staged.
std::vector<fs::path> ListedModuleFiles(const fs::path& modules) {
  std::vector<fs::path> files;
  std::error_code error;
  const std::string dependencies = ReadFile(modules / "modules.dep").value_or("");
  for (const std::string& file : ParseModuleFiles(dependencies, ModulesFor(true))) {
    files.push_back(modules / file);
    if (!fs::is_regular_file(files.back(), error)) return {};
  }
  return files;
}

// What the lab can take of a tree's modules: those listed with the lists, or any of them.
std::vector<fs::path> UsedModuleFiles(const fs::path& modules) {
  std::vector<fs::path> files = ListedModuleFiles(modules);
  std::error_code error;
  if (!files.empty()) {
    for (const fs::directory_entry& entry : fs::directory_iterator(modules, error)) {
      if (entry.is_regular_file(error)) files.push_back(entry.path());
    }
    return files;
  }
  fs::recursive_directory_iterator entries(modules, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (entries->is_regular_file(error)) files.push_back(entries->path());
  }
  return files;
}

// Of a package: "Package" or "Architecture". Damaged files are found here or when it is unpacked.
Result<std::string> FieldOf(const fs::path& deb, const char* field, const fs::path& directory) {
  const Result<std::string> value = RunTool({"dpkg-deb", "-f", deb.string(), field}, directory);
  if (value) return std::string(TrimRight(*value));
  return BadInput(fmt::format("{} is no whole Debian package: {}", deb.string(),
                              TrimRight(value.error().message)),
                  "build or download it again");
}

Status CheckPackage(const fs::path& deb, const std::string& package, const fs::path& directory,
                    std::set<std::string>& packages) {
  if (!packages.insert(package).second) {
    return BadInput(fmt::format("two of the files are a package {}", package),
                    "give the packages of one build");
  }
  PLECTL_ASSIGN_OR_RETURN(const std::string architecture, FieldOf(deb, "Architecture", directory));
  constexpr std::array<std::string_view, 3> kOfPcs = {"amd64", "all", "i386"};
  if (std::ranges::find(kOfPcs, architecture) != kOfPcs.end()) return OkStatus();
  return BadInput(fmt::format("{} is for {}, the lab is a PC (amd64)", deb.string(), architecture),
                  "give a kernel for amd64");
}

// dpkg-deb's words for a full disk are the machine's, all others the package's.
Failure CannotUnpack(const fs::path& deb, const Error& error) {
  if (error.message.find("No space left") != std::string::npos) return Fail(error);
  return BadInput(fmt::format("{} cannot be unpacked: {}", deb.string(), TrimRight(error.message)),
                  "build or download it again");
}

// A kernel without a module that its configuration promises would boot, and be no host of KVM.
Status CheckPromisedModules(const std::string& config, const KernelTree& tree,
                            const fs::path& finished, const std::string& what) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kModules = {
      {{"CONFIG_KVM", "kvm"}, {"CONFIG_KVM_INTEL", "kvm-intel"}, {"CONFIG_KVM_AMD", "kvm-amd"}}};
  const std::string dependencies =
      ReadFile(finished / "lib/modules" / tree.release / "modules.dep").value_or("");
  const KernelConfig parsed = KernelConfig::Parse(config);
  for (const auto& [option, module] : kModules) {
    if (!parsed.IsThere(option) || parsed.IsBuiltIn(option)) continue;
    if (!ParseModuleFiles(dependencies, {std::string(module)}).empty()) continue;
    return BadInput(
        fmt::format("{}: {} is a module of kernel {}, but {}.ko is not there", what, option,
                    tree.release, module),
        "give the package of its modules too (linux-modules-RELEASE), or a directory with "
        "lib/modules/RELEASE, as make modules_install INSTALL_MOD_PATH=DIR fills it");
  }
  return OkStatus();
}

std::string ConfigFor(const KernelTree& tree, const fs::path& scratch) {
  if (!tree.config.empty()) return ReadFile(tree.config).value_or("");
  return ConfigInImage(tree.image, scratch).value_or("");
}

}  // namespace

Status UnpackDebs(const std::vector<fs::path>& debs, const fs::path& directory) {
  PLECTL_RETURN_IF_ERROR(MakeDirectories(directory));
  std::set<std::string> packages;
  for (const fs::path& deb : debs) {
    PLECTL_ASSIGN_OR_RETURN(const std::string package, FieldOf(deb, "Package", directory));
    if (IsOfNoUse(package)) continue;
    PLECTL_RETURN_IF_ERROR(CheckPackage(deb, package, directory, packages));
    const auto output = RunTool({"dpkg-deb", "-x", deb.string(), directory.string()}, directory);
    if (!output) return CannotUnpack(deb, output.error());
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
    PLECTL_RETURN_IF_ERROR(CheckPromisedModules(config, tree, finished, what));
    PLECTL_RETURN_IF_ERROR(WriteFileAtomically(finished / kConfigName, config));
  }
  return WriteFileAtomically(finished / "release", tree.release);
}

Result<std::string> IdentityOfFiles(const LabKernelChoice& choice) {
  std::vector<fs::path> files = choice.debs;
  if (!choice.tree.empty()) {
    PLECTL_ASSIGN_OR_RETURN(const KernelTree tree, FindKernelTree(choice.tree, choice.tree));
    files = UsedModuleFiles(tree.modules);
    files.push_back(tree.image);
    if (!tree.config.empty()) files.push_back(tree.config);
  }
  std::ranges::sort(files);
  std::string text;
  for (const fs::path& file : files) PLECTL_RETURN_IF_ERROR(AppendContent(file, text));
  return Sha256Hex(text).substr(0, 16);
}

}  // namespace plectl::lab
