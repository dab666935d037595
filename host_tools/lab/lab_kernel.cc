// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/lab_kernel.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "host_tools/base/text.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::array<DebianRelease, 5> kReleases = {{
    {"debian12", "bookworm", "bookworm-updates", "bookworm-security"},
    {"debian12-backports", "bookworm-backports", "", ""},
    {"debian13", "trixie", "trixie-updates", "trixie-security"},
    {"debian13-backports", "trixie-backports", "", ""},
    {"sid", "sid", "", ""},
}};

// The names of plectl 0.1.
struct OldName {
  std::string_view old_name;
  std::string_view name;
};
constexpr std::array<OldName, 2> kOldNames = {
    {{"6.1", "debian12"}, {"backports", "debian12-backports"}}};

std::string_view WithoutOldName(std::string_view word) {
  const auto* const found = std::ranges::find(kOldNames, word, &OldName::old_name);
  return found == kOldNames.end() ? word : found->name;
}

Failure UnknownWord(const std::string& word) {
  std::vector<std::string_view> names;
  for (const DebianRelease& release : kReleases) names.push_back(release.name);
  return BadInput(
      fmt::format("the lab has no kernel \"{}\"{}", word, SuggestionText(word, names)),
      fmt::format("use one of {}, or the path of a .deb file or of a directory with a kernel image",
                  fmt::join(names, ", ")));
}

}  // namespace

const DebianRelease* FindDebianRelease(std::string_view name) {
  const auto* const found = std::ranges::find(kReleases, name, &DebianRelease::name);
  return found == kReleases.end() ? nullptr : found;
}

Result<LabKernelChoice> FindLabKernel(const std::vector<std::string>& words) {
  LabKernelChoice choice;
  for (const std::string& word : words) {
    std::error_code error;
    const fs::path path = fs::absolute(word, error).lexically_normal();
    if (FindDebianRelease(WithoutOldName(word)) != nullptr) {
      choice.name = WithoutOldName(word);
      if (words.size() == 1) return choice;
    } else if (fs::is_directory(path, error)) {
      choice.tree = path;
      choice.name.clear();
      if (words.size() == 1) return choice;
    } else if (word.ends_with(".deb") && fs::is_regular_file(path, error)) {
      choice.debs.push_back(path);
      choice.name.clear();
    } else if (word.find('/') != std::string::npos || word.ends_with(".deb")) {
      return BadInput(fmt::format("there is no kernel {}", word),
                      "give a .deb file, or a directory with a kernel image and its modules");
    } else {
      return UnknownWord(word);
    }
  }
  if (choice.debs.size() == words.size() && !words.empty()) return choice;
  return BadInput(fmt::format("{} are not one kernel", fmt::join(words, " and ")),
                  "give one name, one directory, or the .deb files of one kernel");
}

std::string LabKernelName(const LabKernelChoice& choice) {
  if (!choice.name.empty()) return choice.name;
  if (!choice.tree.empty()) return choice.tree.string();
  std::vector<std::string> names;
  for (const fs::path& deb : choice.debs) names.push_back(deb.filename().string());
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace plectl::lab
