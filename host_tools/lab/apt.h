// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "host_tools/base/result.h"

namespace plectl::lab {

// Debian's package manager as a source of packages. Nothing is installed, and no root is needed.
class Apt {
 public:
  // With the machine's own package sources and lists.
  static Apt OfMachine();
  // With one suite ("bookworm-backports") of the machine's Debian mirror as the only source, and
  // lists, cache and configuration below `directory`: the machine's own are only read. Fetches the
  // lists anew. Environment when that fails.
  static Result<Apt> OfSuite(const std::filesystem::path& directory, std::string_view suite);

  // What `apt-cache depends` prints about `package`.
  [[nodiscard]] Result<std::string> Depends(std::string_view package) const;
  // Downloads into the empty `directory`; the .deb.
  [[nodiscard]] Result<std::filesystem::path> Download(
      std::string_view package, const std::filesystem::path& directory) const;
  // What a user does when a package is not there.
  [[nodiscard]] const std::string& hint() const { return hint_; }

 private:
  Apt(std::filesystem::path configuration, std::string hint)
      : configuration_(std::move(configuration)), hint_(std::move(hint)) {}
  std::filesystem::path configuration_;  // for APT_CONFIG; empty: the machine's
  std::string hint_;
};

// The first mirror of Debian 12 that may be put into a list of sources, from what `apt-get
// indextargets --format '$(REPO_URI) $(RELEASE)'` prints; Debian's own when there is none.
std::string ParseDebianMirror(std::string_view index_targets);

// A configuration for APT_CONFIG that keeps all state in `directory` and runs no hooks of the
// machine; how to reach the network (proxy, certificates) is taken from `dump`, the output of
// `apt-config dump` of the machine.
std::string PrivateAptConfiguration(const std::filesystem::path& directory, std::string_view dump);

}  // namespace plectl::lab
