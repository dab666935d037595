// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/basic_auth.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <cerrno>

#include "host_tools/base/file.h"
#include "host_tools/base/text.h"

namespace plectl::metrics {

Status CheckPrivateFile(const std::filesystem::path& path, std::string_view what) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    Error error =
        SystemFailure(fmt::format("look at the {} {}", what, path.string()), errno).value();
    error.kind = ErrorKind::kBadInput;
    return Fail(std::move(error));
  }
  if (!S_ISREG(status.st_mode)) {
    return BadInput(fmt::format("the {} {} is not a regular file", what, path.string()));
  }
  if ((status.st_mode & S_IRWXO) != 0) {
    return BadInput(fmt::format("the {} {} can be read or changed by everybody (mode {:04o})", what,
                                path.string(), status.st_mode & 07777U),
                    fmt::format("chmod o= {}", path.string()));
  }
  return OkStatus();
}

bool Credentials::Match(std::string_view given_user, std::string_view given_password) const {
  return given_user == user && given_password.size() == password.size() &&
         CRYPTO_memcmp(given_password.data(), password.data(), password.size()) == 0;
}

Result<Credentials> LoadCredentials(const std::filesystem::path& path) {
  constexpr std::string_view kWhat = "password file";
  PLECTL_RETURN_IF_ERROR(CheckPrivateFile(path, kWhat));
  Result<std::string> text = ReadFile(path);
  if (!text) return BadInput(text.error().message);
  const std::string_view line = TrimRight(*text);
  const size_t colon = line.find(':');
  if (line.find('\n') != std::string_view::npos || colon == std::string_view::npos || colon == 0 ||
      colon + 1 == line.size()) {
    return BadInput(fmt::format("the {} {} is not one line USER:PASSWORD", kWhat, path.string()));
  }
  return Credentials{std::string(line.substr(0, colon)), std::string(line.substr(colon + 1))};
}

}  // namespace plectl::metrics
