// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"

namespace plectl::metrics {

// BadInput when others may read `path` (mode & 0007) or it cannot be read: it holds a secret.
Status CheckPrivateFile(const std::filesystem::path& path, std::string_view what);

// Who may scrape.
struct Credentials {
  std::string user;
  std::string password;

  // Takes the same time for every wrong password of one length.
  [[nodiscard]] bool Match(std::string_view user, std::string_view password) const;
};

// A file with one line USER:PASSWORD that only its owner and group may read. BadInput otherwise.
Result<Credentials> LoadCredentials(const std::filesystem::path& path);

}  // namespace plectl::metrics
