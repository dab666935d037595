// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace plectl {

// Why something failed, in the terms of the exit codes of the CLI (docs/architecture.md).
enum class ErrorKind {
  kBadInput = 2,      // usage, plan, run log, ELF: what the user gave us
  kEnvironment = 3,   // no KVM, no PLE, module busy, missing program or permission
  kInternal = 4,      // our own bug
  kInconclusive = 5,  // ran, but could not measure; also interrupted by a signal
};

// What was tried on what and why it failed (`message`), and the user's next step (`hint`, may be
// empty). Errors travel up unchanged; a caller that knows more prepends it with WithContext().
struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
  std::string hint;

  // "message (next step: hint)", or just the message.
  [[nodiscard]] std::string Text() const;
};

// A value or an Error: the return type of everything that the world can make fail. Never throw
// across a folder's edge. Ignoring a Result is a compile error.
//
//   Result<std::string> text = ReadFile(path);
//   if (!text) return Fail(text.error());
//   Use(*text);
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

// A Result without a value. Return OkStatus() for success.
using Status = Result<void>;
inline Status OkStatus() { return {}; }

// Failure values, convertible to any Result<T>.
using Failure = tl::unexpected<Error>;
Failure Fail(Error error);
Failure BadInput(std::string message, std::string hint = {});
Failure Environment(std::string message, std::string hint = {});
Failure Internal(std::string message);
Failure Inconclusive(std::string message, std::string hint = {});
// For a failed system call: appends ": strerror(error_number)" to what was tried.
Failure SystemFailure(std::string_view tried, int error_number, std::string hint = {});

// Prepends "context: " to the message of `error`; kind and hint stay.
Error WithContext(std::string_view context, Error error);

}  // namespace plectl

// Returns from the calling function when `expression`, a Result, failed.
#define PLECTL_RETURN_IF_ERROR(expression)                      \
  do {                                                          \
    if (auto plectl_result_ = (expression); !plectl_result_) {  \
      return ::plectl::Fail(std::move(plectl_result_).error()); \
    }                                                           \
  } while (false)

// PLECTL_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
#define PLECTL_ASSIGN_OR_RETURN(declaration, expression) \
  PLECTL_ASSIGN_OR_RETURN_(PLECTL_CONCAT_(plectl_result_, __LINE__), declaration, expression)
#define PLECTL_CONCAT_INNER_(a, b) a##b
#define PLECTL_CONCAT_(a, b) PLECTL_CONCAT_INNER_(a, b)
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot be in parentheses
#define PLECTL_ASSIGN_OR_RETURN_(result, declaration, expression)  \
  auto result = (expression);                                      \
  if (!(result)) return ::plectl::Fail(std::move(result).error()); \
  declaration = std::move(result).value()
// NOLINTEND(bugprone-macro-parentheses)
