// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/lab/lab_kernel.h"

namespace plectl::lab {

// Told what takes long, in a sentence.
using Progress = std::function<void(std::string_view)>;

// Debian's package manager as a source of one release's packages, whatever this machine runs.
// Nothing is installed, and no root is needed.
class Apt {
 public:
  // With the suites of `release` on the machine's Debian mirror as the only sources, and lists,
  // cache and configuration below `directory`: the machine's own are only read. Fetches the lists
  // anew. Environment when that fails.
  static Result<Apt> OfRelease(const std::filesystem::path& directory, const DebianRelease& release,
                               const Progress& progress);

  // What `apt-cache depends` prints about `package`.
  [[nodiscard]] Result<std::string> Depends(std::string_view package) const;
  // Downloads into `directory`, which holds no package yet; the .deb files.
  [[nodiscard]] Result<std::vector<std::filesystem::path>> Download(
      const std::vector<std::string>& packages, const std::filesystem::path& directory) const;
  // What a user does when a package is not there.
  [[nodiscard]] const std::string& hint() const { return hint_; }

 private:
  Apt(std::filesystem::path configuration, std::string hint)
      : configuration_(std::move(configuration)), hint_(std::move(hint)) {}
  std::filesystem::path configuration_;  // for APT_CONFIG
  std::string hint_;
};

// Where this machine gets Debian from.
struct DebianMirrors {
  std::string archive;
  std::string security;
  friend bool operator==(const DebianMirrors&, const DebianMirrors&) = default;
};

// The first mirrors of Debian's own archives that may be put into a list of sources, from what
// `apt-get indextargets --format kMirrorFormat` prints; deb.debian.org where there is none. Other
// vendors' archives use the names of Debian's suites too.
DebianMirrors ParseDebianMirrors(std::string_view index_targets);
inline constexpr std::string_view kMirrorFormat = "$(REPO_URI)|$(ORIGIN)|$(LABEL)";

// The sources of a release, one a line.
std::string SourcesOf(const DebianRelease& release, const DebianMirrors& mirrors);

// Whether apt's message says that its keyring lacks the key of a suite.
bool LacksKey(std::string_view apt_message);

// A configuration for APT_CONFIG that keeps all state in `directory` and runs no hooks of the
// machine; how to reach the network (proxy, certificates) is taken from `dump`, the output of
// `apt-config dump` of the machine.
std::string PrivateAptConfiguration(const std::filesystem::path& directory, std::string_view dump);

}  // namespace plectl::lab
