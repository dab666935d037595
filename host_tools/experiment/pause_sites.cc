// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/pause_sites.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace plectl::experiment {
namespace {

using nlohmann::json;

json ToJson(const PauseSite& site) {
  return {{"rip", site.rip},
          {"place", site.place},
          {"relax_site", site.is_relax_site},
          {"exits", site.exits}};
}

Result<PauseSite> SiteFromJson(const JsonFields& fields) {
  PauseSite site;
  PLECTL_ASSIGN_OR_RETURN(site.rip, fields.Uint("rip"));
  PLECTL_ASSIGN_OR_RETURN(site.place, fields.Text("place"));
  PLECTL_ASSIGN_OR_RETURN(site.is_relax_site, fields.Bool("relax_site"));
  PLECTL_ASSIGN_OR_RETURN(site.exits, fields.Uint("exits"));
  return site;
}

void KeepTheMostFrequent(PauseSites& result) {
  if (result.sites.size() <= kPauseSitesMax) return;
  std::ranges::stable_sort(result.sites, std::ranges::greater(), &PauseSite::exits);
  for (size_t i = kPauseSitesMax; i < result.sites.size(); ++i) {
    result.other_exits += result.sites[i].exits;
  }
  result.sites.resize(kPauseSitesMax);
  std::ranges::sort(result.sites, {}, &PauseSite::rip);
}

}  // namespace

PauseSites SitesOf(const std::vector<host::PauseRips>& vcpus, const guests::CodePlaces& places) {
  PauseSites result;
  std::map<uint64_t, uint64_t> exits_by_rip;
  for (const host::PauseRips& rips : vcpus) {
    for (const auto& [rip, exits] : rips.exits) exits_by_rip[rip] += exits;
    result.other_exits += rips.other;
  }
  for (const auto& [rip, exits] : exits_by_rip) {
    result.sites.push_back({rip, places.NameOf(rip), places.IsRelaxSite(rip), exits});
  }
  KeepTheMostFrequent(result);
  return result;
}

json ToJson(const PauseSites& sites) {
  json object = {{"sites", json::array()}, {"other_exits", sites.other_exits}};
  for (const PauseSite& site : sites.sites) object["sites"].push_back(ToJson(site));
  return object;
}

Result<PauseSites> PauseSitesFromJson(const JsonFields& trial, std::string_view key) {
  PauseSites result;
  PLECTL_ASSIGN_OR_RETURN(const JsonFields object, trial.Object(key));
  PLECTL_ASSIGN_OR_RETURN(result.other_exits, object.Uint("other_exits"));
  PLECTL_ASSIGN_OR_RETURN(const std::vector<JsonFields> sites, object.ObjectList("sites"));
  for (const JsonFields& fields : sites) {
    PLECTL_ASSIGN_OR_RETURN(PauseSite site, SiteFromJson(fields));
    result.sites.push_back(std::move(site));
  }
  return result;
}

}  // namespace plectl::experiment
