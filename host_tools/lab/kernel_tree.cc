// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_tree.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <initializer_list>
#include <map>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "host_tools/lab/kernel_image.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

bool IsFile(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

fs::path FirstFile(const std::vector<fs::path>& places) {
  for (const fs::path& place : places) {
    if (IsFile(place)) return place;
  }
  return {};
}

// Of the old package layout, of the new one, and of a tree where the prefix was left out.
std::vector<fs::path> ModuleRoots(const fs::path& directory) {
  return {directory / "lib/modules", directory / "usr/lib/modules", directory / "modules"};
}

// The names of the kernels that have modules or an image in the usual places.
std::set<std::string> ReleasesIn(const fs::path& directory) {
  constexpr std::string_view kImagePrefix = "vmlinuz-";
  std::set<std::string> releases;
  std::error_code error;
  for (const fs::path& root : ModuleRoots(directory)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(root, error)) {
      if (entry.is_directory(error)) releases.insert(entry.path().filename().string());
    }
  }
  for (const fs::path& place : {directory / "boot", directory}) {
    for (const fs::directory_entry& entry : fs::directory_iterator(place, error)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(kImagePrefix)) releases.insert(name.substr(kImagePrefix.size()));
    }
  }
  return releases;
}

fs::path ModulesOf(const fs::path& directory, const std::string& release) {
  std::error_code error;
  for (const fs::path& root : ModuleRoots(directory)) {
    for (const char* sign : {"kernel", "modules.dep", "modules.order", "modules.builtin"}) {
      if (fs::exists(root / release / sign, error)) return root / release;
    }
  }
  return {};
}

std::vector<fs::path> ImagePlaces(const fs::path& directory,
                                  const std::set<std::string>& releases) {
  std::vector<fs::path> places;
  for (const std::string& release : releases) {
    places.push_back(directory / "boot" / ("vmlinuz-" + release));
    places.push_back(directory / ("vmlinuz-" + release));
    for (const fs::path& root : ModuleRoots(directory)) {
      places.push_back(root / release / "vmlinuz");
    }
  }
  for (const char* name : {"bzImage", "vmlinuz", "boot/bzImage", "boot/vmlinuz",
                           "arch/x86/boot/bzImage", "arch/x86_64/boot/bzImage"}) {
    places.push_back(directory / name);
  }
  return places;
}

// The images in `places` by their releases.
Result<std::map<std::string, fs::path>> ImagesIn(const std::vector<fs::path>& places) {
  std::map<std::string, fs::path> images;
  for (const fs::path& place : places) {
    if (!IsFile(place)) continue;
    PLECTL_ASSIGN_OR_RETURN(std::string release, ImageReleaseOf(place));
    images.emplace(std::move(release), place);
  }
  return images;
}

std::vector<fs::path> ConfigPlaces(const fs::path& directory, const std::string& release) {
  std::vector<fs::path> places = {directory / "boot" / ("config-" + release)};
  for (const fs::path& root : ModuleRoots(directory)) places.push_back(root / release / "config");
  for (const fs::path& name : {fs::path("config-" + release), fs::path("config"),
                               fs::path(".config"), fs::path("boot/config")}) {
    places.push_back(directory / name);
  }
  return places;
}

}  // namespace

Result<KernelTree> FindKernelTree(const fs::path& directory, const std::string& what) {
  using Images = std::map<std::string, fs::path>;
  const std::set<std::string> releases = ReleasesIn(directory);
  PLECTL_ASSIGN_OR_RETURN(const Images images, ImagesIn(ImagePlaces(directory, releases)));
  if (images.empty()) {
    return BadInput(fmt::format("{} has no kernel image (vmlinuz or bzImage)", what),
                    "give also the package with the image, or a directory with bzImage");
  }
  if (images.size() > 1) {
    return BadInput(fmt::format("{} holds several kernels: {} and {}", what, images.begin()->first,
                                images.rbegin()->first),
                    "give the files of one kernel");
  }
  KernelTree tree;
  std::tie(tree.release, tree.image) = *images.begin();
  tree.modules = ModulesOf(directory, tree.release);
  if (tree.modules.empty() && !releases.empty() && !releases.contains(tree.release)) {
    return BadInput(fmt::format("{}: the image is of kernel {}, the modules are of {}", what,
                                tree.release, fmt::join(releases, ", ")),
                    "give the image and the modules of one build");
  }
  tree.config = FirstFile(ConfigPlaces(directory, tree.release));
  return tree;
}

}  // namespace plectl::lab
