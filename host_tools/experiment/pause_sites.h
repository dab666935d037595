// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/guests/code_places.h"
#include "host_tools/host/vcpu_counts.h"

namespace plectl::experiment {

// A guest address at which PAUSE exits happened.
struct PauseSite {
  uint64_t rip = 0;
  std::string place;           // "ttas_acquire+0x12"; empty: no symbol is there
  bool is_relax_site = false;  // false: no place where the payload means to PAUSE
  uint64_t exits = 0;

  friend bool operator==(const PauseSite&, const PauseSite&) = default;
};

// All of a trial's, by address; the rest, when there are too many, in `other_exits`.
struct PauseSites {
  std::vector<PauseSite> sites;
  uint64_t other_exits = 0;

  friend bool operator==(const PauseSites&, const PauseSites&) = default;
};

inline constexpr size_t kPauseSitesMax = 64;

// Of all vCPUs together: the kPauseSitesMax addresses with the most exits.
PauseSites SitesOf(const std::vector<host::PauseRips>& vcpus, const guests::CodePlaces& places);

nlohmann::json ToJson(const PauseSites& sites);
Result<PauseSites> PauseSitesFromJson(const JsonFields& trial, std::string_view key);

}  // namespace plectl::experiment
