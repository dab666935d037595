// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/lab_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>

namespace plectl::cli {
namespace {

using nlohmann::json;

// Every structured binding below names each field of its struct: with a field more or less it does
// not compile.
json ObserversToJson(const host::ObserverOptions& observers) {
  const auto& [choice, check, details, check_drops_every_nth] = observers;
  return {{"choice", host::ChoiceName(choice)},
          {"check_every_trial", check == host::CheckTrials::kEvery},
          {"details", fmt::format("{}", fmt::join(host::DetailNames(details), ","))},
          {"check_drops_every_nth", check_drops_every_nth}};
}

Result<host::ObserverChoice> ChoiceOf(const std::string& name) {
  using enum host::ObserverChoice;
  for (const host::ObserverChoice choice : {kAuto, kBpf, kPerf, kPauseOnly, kNone}) {
    if (host::ChoiceName(choice) == name) return choice;
  }
  return Internal(fmt::format("the lab's request has an unknown observer {}", name));
}

Result<host::ObserverOptions> ObserversFromJson(const json& object) {
  host::ObserverOptions options;
  auto& [choice, check, details, check_drops_every_nth] = options;
  PLECTL_ASSIGN_OR_RETURN(choice, ChoiceOf(object.at("choice").get<std::string>()));
  if (object.at("check_every_trial").get<bool>()) check = host::CheckTrials::kEvery;
  if (const auto names = object.at("details").get<std::string>(); !names.empty()) {
    PLECTL_ASSIGN_OR_RETURN(details, host::ParseDetails(names));
  }
  object.at("check_drops_every_nth").get_to(check_drops_every_nth);
  return options;
}

std::chrono::seconds SecondsOf(const json& seconds) {
  return std::chrono::seconds(seconds.get<int64_t>());
}

json MeasureToJson(const MeasureRequest& request) {
  const auto& [cpu, format, relax_tsc_cycles, wait] = request;
  return {{"cpu", cpu},
          {"format", format},
          {"relax_tsc_cycles", relax_tsc_cycles},
          {"wait_s", wait.count()}};
}

MeasureRequest MeasureFromJson(const json& object) {
  MeasureRequest request;
  auto& [cpu, format, relax_tsc_cycles, wait] = request;
  object.at("cpu").get_to(cpu);
  object.at("format").get_to(format);
  object.at("relax_tsc_cycles").get_to(relax_tsc_cycles);
  wait = SecondsOf(object.at("wait_s"));
  return request;
}

template <class Read>
auto Guarded(const Read& read) -> decltype(read()) {
  try {
    return read();
  } catch (const json::exception& exception) {
    return Internal(fmt::format("the lab's request cannot be read: {}", exception.what()));
  }
}

}  // namespace

std::string ToJson(const SweepRequest& request) {
  const auto& [attempts_max, disturbed_repeats_max, wait, payload_elf, relax_tsc_cycles, observers,
               only_lab_seed] = request;
  const json json = {{"attempts_max", attempts_max},
                     {"disturbed_repeats_max", disturbed_repeats_max},
                     {"wait_s", wait.count()},
                     {"payload_elf", payload_elf.string()},
                     {"relax_tsc_cycles", relax_tsc_cycles},
                     {"observers", ObserversToJson(observers)},
                     {"only_lab_seed", only_lab_seed ? nlohmann::json(*only_lab_seed) : nullptr}};
  return json.dump(1) + "\n";
}

Result<SweepRequest> SweepRequestFromJson(std::string_view text) {
  return Guarded([&]() -> Result<SweepRequest> {
    const json json = json::parse(text);
    SweepRequest request;
    auto& [attempts_max, disturbed_repeats_max, wait, payload_elf, relax_tsc_cycles, observers,
           only_lab_seed] = request;
    json.at("attempts_max").get_to(attempts_max);
    json.at("disturbed_repeats_max").get_to(disturbed_repeats_max);
    wait = SecondsOf(json.at("wait_s"));
    payload_elf = json.at("payload_elf").get<std::string>();
    json.at("relax_tsc_cycles").get_to(relax_tsc_cycles);
    PLECTL_ASSIGN_OR_RETURN(observers, ObserversFromJson(json.at("observers")));
    if (const auto& seed = json.at("only_lab_seed"); !seed.is_null()) {
      only_lab_seed = seed.get<uint64_t>();
    }
    return request;
  });
}

std::string ToJson(const CalibrateRequest& request) {
  const auto& [measure, keep_params, bodies] = request;
  const json json = {
      {"measure", MeasureToJson(measure)}, {"keep_params", keep_params}, {"bodies", bodies}};
  return json.dump(1) + "\n";
}

Result<CalibrateRequest> CalibrateRequestFromJson(std::string_view text) {
  return Guarded([&]() -> Result<CalibrateRequest> {
    const json json = json::parse(text);
    CalibrateRequest request;
    auto& [measure, keep_params, bodies] = request;
    measure = MeasureFromJson(json.at("measure"));
    json.at("keep_params").get_to(keep_params);
    json.at("bodies").get_to(bodies);
    return request;
  });
}

std::string ToJson(const SelftestRequest& request) {
  const auto& [measure, deadline] = request;
  const json json = {{"measure", MeasureToJson(measure)}, {"deadline_s", deadline.count()}};
  return json.dump(1) + "\n";
}

Result<SelftestRequest> SelftestRequestFromJson(std::string_view text) {
  return Guarded([&]() -> Result<SelftestRequest> {
    const json json = json::parse(text);
    SelftestRequest request;
    auto& [measure, deadline] = request;
    measure = MeasureFromJson(json.at("measure"));
    deadline = SecondsOf(json.at("deadline_s"));
    return request;
  });
}

}  // namespace plectl::cli
