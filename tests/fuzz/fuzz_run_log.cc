// SPDX-License-Identifier: Apache-2.0
// No text makes the run log's reader crash, and each record that it accepts survives a round trip.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "host_tools/experiment/run_log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plectl::experiment;  // NOLINT(google-build-using-namespace)
  const auto log = ParseRunLog({reinterpret_cast<const char*>(data), size}, "run.jsonl");
  if (!log) {
    if (log.error().message.empty()) std::abort();
    return 0;
  }
  for (const TrialRecord& trial : log->trials) {
    const nlohmann::json json = ToJson(trial);
    const auto again = TrialFromJson(json);
    if (!again || ToJson(*again) != json) std::abort();
  }
  for (const Manifest& manifest : log->manifests) {
    const auto again = ManifestFromJson(ToJson(manifest));
    if (!again || ToJson(*again) != ToJson(manifest)) std::abort();
  }
  return 0;
}
