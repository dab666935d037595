// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of what makes observers see less than happens.
#include <array>
#include <string>

#include "host_tools/host/doctor_checks.h"
#include "host_tools/host/function_probes.h"

namespace plectl::host {
namespace {

Finding LookAtFtrace(const DoctorFacts& facts) {
  const std::string off = FunctionProbesOffBecause(facts.root);
  if (off.empty()) return Ok("probes of kernel functions run");
  return Warning(off, kFunctionProbesOnHint);
}

constexpr std::array kChecks = {
    Check{"ftrace_enabled",
          "the check observer and directed yields are counted by probes of kernel functions, which "
          "can be attached without it and see nothing",
          LookAtFtrace},
};

}  // namespace

std::span<const Check> ObserverChecks() { return kChecks; }

}  // namespace plectl::host
