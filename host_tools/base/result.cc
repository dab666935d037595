// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/result.h"

#include <fmt/format.h>

#include <cstring>

namespace plectl {

std::string Error::Text() const {
  return hint.empty() ? message : fmt::format("{} (next step: {})", message, hint);
}

Failure Fail(Error error) { return Failure(std::move(error)); }

Failure BadInput(std::string message, std::string hint) {
  return Failure(Error{ErrorKind::kBadInput, std::move(message), std::move(hint)});
}

Failure Environment(std::string message, std::string hint) {
  return Failure(Error{ErrorKind::kEnvironment, std::move(message), std::move(hint)});
}

Failure Internal(std::string message) {
  return Failure(Error{ErrorKind::kInternal, std::move(message), {}});
}

Failure Inconclusive(std::string message, std::string hint) {
  return Failure(Error{ErrorKind::kInconclusive, std::move(message), std::move(hint)});
}

Failure SystemFailure(std::string_view tried, int error_number, std::string hint) {
  return Environment(fmt::format("{}: {}", tried, std::strerror(error_number)), std::move(hint));
}

Error WithContext(std::string_view context, Error error) {
  error.message = fmt::format("{}: {}", context, error.message);
  return error;
}

}  // namespace plectl
