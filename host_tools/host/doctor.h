// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// In rising order of gravity (docs/doctor.md).
enum class Verdict {
  kOk,
  kUnknown,  // it cannot be told; `seen` says why
  kWarning,  // measuring works, but something on the way to good settings does not or may mislead
  kBlocker,  // PAUSE exits cannot happen here, or no sweep can run until it is fixed
};

// "ok", "unknown", "warning" or "blocker".
std::string_view VerdictName(Verdict verdict);

// What one check found out. All texts are one line of printable UTF-8.
struct CheckResult {
  std::string_view id;  // snake_case; never changes, so that scripts may rely on it
  Verdict verdict = Verdict::kUnknown;
  std::string seen;
  std::string why;  // it matters for PLE
  std::string fix;  // the command or step to take, or empty
};

struct Diagnosis {
  std::vector<CheckResult> checks;  // always the same ids in the same order

  // The gravest one.
  [[nodiscard]] Verdict verdict() const;
};

// Looks at the host's files only: changes nothing, needs no root. What only root may see is
// "unknown", and its fix says so.
Diagnosis Diagnose(const HostRoot& root);

}  // namespace plectl::host
