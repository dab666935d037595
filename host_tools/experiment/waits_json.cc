// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/waits_json.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

namespace plectl::experiment {
namespace {

using guests::WaitCount;
using guests::WaitHistogram;
using guests::WaitSummary;
using nlohmann::json;

constexpr std::string_view kHistogramKey = "wait_histogram";
constexpr std::string_view kSummaryKey = "wait_tsc_cycles";
constexpr std::string_view kHistogramForm = "a list of [lower bound, count], bounds going up";

struct SummaryField {
  std::string_view key;
  uint64_t WaitSummary::*member;
};
constexpr SummaryField kSummaryFields[] = {
    {"p50", &WaitSummary::p50},
    {"p99", &WaitSummary::p99},
    {"p99_9", &WaitSummary::p99_9},
    {"max", &WaitSummary::max},
};

// A pair of numbers that can follow `last`.
std::optional<WaitCount> NextCount(const JsonValue& pair, const std::optional<WaitCount>& last) {
  if (!pair.is_array()) return std::nullopt;
  std::array<uint64_t, 2> numbers{};
  size_t count = 0;
  pair.EachItem([&](const JsonValue& value) {
    const std::optional<uint64_t> number = value.AsUint();
    if (number && count < numbers.size()) numbers[count] = *number;
    if (!number) count = numbers.size();
    return ++count <= numbers.size();
  });
  if (count != numbers.size()) return std::nullopt;
  const WaitCount item{numbers[0], numbers[1]};
  const bool is_bound =
      guests::WaitBucketFirst(guests::WaitBucketOf(item.lower_bound)) == item.lower_bound;
  const bool ascends = !last || last->lower_bound < item.lower_bound;
  if (!is_bound || !ascends || item.count == 0) return std::nullopt;
  return item;
}

}  // namespace

json ToJson(const WaitHistogram& histogram) {
  json list = json::array();
  for (const WaitCount& item : histogram) list.push_back({item.lower_bound, item.count});
  return list;
}

Result<WaitHistogram> WaitHistogramFromJson(const JsonFields& vcpu, Keep keep) {
  if (!vcpu.Has(kHistogramKey)) return WaitHistogram();
  PLECTL_ASSIGN_OR_RETURN(const JsonValue list, vcpu.Any(kHistogramKey));
  if (!list.is_array()) return vcpu.Wrong(kHistogramKey, kHistogramForm);
  WaitHistogram histogram;
  std::optional<WaitCount> last;
  const bool read = list.EachItem([&](const JsonValue& pair) {
    last = NextCount(pair, last);
    if (last && keep == Keep::kYes) histogram.push_back(*last);
    return last.has_value();
  });
  if (!read) return vcpu.Wrong(kHistogramKey, kHistogramForm);
  return histogram;
}

json ToJson(const WaitSummary& waits) {
  json object;
  for (const SummaryField& field : kSummaryFields) object[field.key] = waits.*field.member;
  return object;
}

Result<std::optional<WaitSummary>> WaitSummaryFromJson(const JsonFields& trial) {
  if (!trial.Has(kSummaryKey)) return std::optional<WaitSummary>();
  PLECTL_ASSIGN_OR_RETURN(const JsonFields object, trial.Object(kSummaryKey));
  WaitSummary waits;
  for (const SummaryField& field : kSummaryFields) {
    PLECTL_ASSIGN_OR_RETURN(waits.*field.member, object.Uint(field.key));
  }
  return std::optional<WaitSummary>(waits);
}

}  // namespace plectl::experiment
