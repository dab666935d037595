// SPDX-License-Identifier: Apache-2.0
// No text makes the plan's reader crash, and what it accepts can be scheduled.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "host_tools/experiment/schedule.h"
#include "host_tools/guests/payload_source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plectl::experiment;    // NOLINT(google-build-using-namespace)
  constexpr size_t kTrialsMax = 10'000;  // beyond it an input only takes time
  static const auto payloads = plectl::guests::EmbeddedPayloads().value();
  const auto plan = ParsePlan({reinterpret_cast<const char*>(data), size}, "plan.yaml", payloads);
  if (!plan) {
    if (plan.error().message.empty()) std::abort();
    return 0;
  }
  const size_t trials =
      plan->blocks * plan->param_sets.size() * plan->workloads.size() * plan->arms.size();
  if (trials == 0) std::abort();
  if (trials <= kTrialsMax && MakeSchedule(*plan).size() != trials) std::abort();
  return 0;
}
