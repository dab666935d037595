// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/gbench_context.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/text.h"
#include "host_tools/base/version.h"
#include "host_tools/experiment/lab_host.h"

namespace plectl::output {
namespace {

constexpr std::string_view kTimeMeaning =
    "real_time: the guest's TSC from the first vCPU's start to the last one's end, per acquisition "
    "(of payloads without a lock: per relax instruction); cpu_time: the host's CPU time of the "
    "vCPU threads, likewise; iterations: how many";

// How many CPUs a list as in /sys/devices/system/cpu/online names, "0-3,5": 5; nothing when it is
// no such list.
std::optional<uint64_t> CountCpus(std::string_view list) {
  uint64_t count = 0;
  for (const std::string_view range : Split(list, ',')) {
    const std::vector<std::string_view> ends = Split(range, '-');
    const std::optional<uint64_t> first = ParseUint(ends.front());
    const std::optional<uint64_t> last = ParseUint(ends.back());
    if (ends.size() > 2 || !first || !last || *last < *first || *last > UINT16_MAX) return {};
    count += *last - *first + 1;
  }
  return count;
}

// The text at `path` of a fingerprint, which comes from outside; empty when there is none.
std::string TextAt(const nlohmann::json& host, const nlohmann::json::json_pointer& path) {
  const bool is_text = host.contains(path) && host.at(path).is_string();
  return is_text ? host.at(path).get<std::string>() : std::string();
}

// What the fingerprint knows of the standard keys.
void AddHost(const nlohmann::json& host, nlohmann::ordered_json& context) {
  const std::string model = TextAt(host, "/cpu/model_name"_json_pointer);
  if (!model.empty()) context["host_name"] = model;
  const std::string online = TextAt(host, "/cpus_online"_json_pointer);
  if (const auto cpus = CountCpus(online)) context["num_cpus"] = *cpus;
  const auto tsc_khz = host.find("tsc_khz");
  if (tsc_khz != host.end() && tsc_khz->is_number()) {
    const double mhz = tsc_khz->get<double>() / 1e3;
    if (mhz > 0 && mhz < 1e6) context["mhz_per_cpu"] = std::llround(mhz);
  }
  const std::string governor = TextAt(host, "/governor"_json_pointer);
  if (!governor.empty()) context["cpu_scaling_enabled"] = governor != "performance";
}

// Google Benchmark always writes these, and some readers insist on them. The run log knows neither
// caches nor the load; the guest's code is always optimized, so there is no debug build of it.
void AddLibraryKeys(nlohmann::ordered_json& context) {
  context["caches"] = nlohmann::ordered_json::array();
  context["load_avg"] = nlohmann::ordered_json::array();
  context["library_version"] = "plectl " + std::string(kVersion);
  context["library_build_type"] = "release";
  context["json_schema_version"] = 1;
}

void AddRun(const experiment::Manifest& manifest, nlohmann::ordered_json& context) {
  context["plectl_version"] = manifest.plectl_version;
  context["plan"] = TextAt(manifest.plan, "/name"_json_pointer);
  context["plan_sha256"] = manifest.plan_sha256;
  context["seed"] = std::to_string(manifest.seed);
  context["observers"] = fmt::format("{}", fmt::join(manifest.observers, ","));
  context["kernel"] = TextAt(manifest.host, "/kernel/release"_json_pointer);
}

// One session in the lab is enough: its trials stand among the others.
std::string LabOf(const experiment::RunLog& log) {
  for (const experiment::Manifest& manifest : log.manifests) {
    if (experiment::IsLab(manifest.host)) return experiment::LabText(manifest.host);
  }
  return {};
}

}  // namespace

nlohmann::ordered_json GbenchContext(const experiment::RunLog& log, const GbenchPoints& points) {
  nlohmann::ordered_json context = {{"executable", "plectl export"}};
  AddLibraryKeys(context);
  if (!log.manifests.empty()) {
    AddHost(log.manifests.front().host, context);
    AddRun(log.manifests.front(), context);
    context["lab"] = LabOf(log);
  }
  size_t exported = 0;
  for (const GbenchPoint& point : points.points) exported += point.repetitions.size();
  size_t invalid = 0;
  for (const experiment::TrialRecord& trial : log.trials) invalid += trial.valid() ? 0 : 1;
  context["trials_exported"] = exported;
  context["trials_invalid"] = invalid;
  context["trials_without_work"] = points.trials_without_work;
  context["time_meaning"] = kTimeMeaning;
  return context;
}

}  // namespace plectl::output
