// SPDX-License-Identifier: Apache-2.0
// No text makes the noise watch's readers of /proc, /sys and cgroup files crash, whichever file it
// stands in; what they return is a value or has a reason, and deltas of it do too.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "host_tools/host/msr_counters.h"
#include "host_tools/host/noise_cpu.h"
#include "host_tools/host/noise_memory.h"
#include "host_tools/host/noise_sample.h"
#include "host_tools/host/noise_thresholds.h"

namespace {

using namespace plectl;        // NOLINT(google-build-using-namespace)
using namespace plectl::host;  // NOLINT(google-build-using-namespace)

void Check(const Count& count) {
  if (count.has_value() != count.missing_because().empty()) std::abort();
}

NoiseSample SampleOf(std::string_view text, const std::vector<int>& cpus) {
  NoiseSample sample;
  NoiseCounts& counts = sample.counts;
  sample.idle_ns = ParseStat(text, cpus, 100, counts);
  sample.run_ns = ParseSchedstat(text, cpus, counts);
  sample.irqs = ParseInterrupts(text, cpus, counts);
  ParseVmstat(text, counts);
  sample.worst_zone = ParseZoneinfo(text, counts);
  counts[NoiseQuantity::kPsiMemorySomeUs] = PressureTotalUs(text, "some");
  sample.all_pgscan = counts[NoiseQuantity::kOwnPgscan] = CgroupPagesScanned(text);
  counts[NoiseQuantity::kLimitEvents] = CgroupLimitEvents(text);
  sample.own_ns = 1;
  for (const NoiseQuantityInfo& info : NoiseQuantities()) Check(counts[info.quantity]);
  return sample;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<int> cpus = {0, 2};
  ParsePerfEventConfig(text);
  // The two halves as the two ends of a trial.
  const NoiseSample start = SampleOf(text.substr(0, size / 2), cpus);
  NoiseSample end = SampleOf(text.substr(size / 2), cpus);
  SampleOf(text, cpus);
  end.cpus_read_ns = 1'000'000'000;
  const NoiseRecord record = NoiseBetween(start, end, cpus.size(), Count(1000), 100);
  for (const NoiseQuantityInfo& info : NoiseQuantities()) Check(record.counts[info.quantity]);
  if (record.top_irqs.size() > 3) std::abort();
  DisturbedBecause(record, cpus.size());
  return 0;
}
