// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "host_tools/cli/params_actions.h"
#include "host_tools/host/kernel_defaults.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/param_journal.h"

namespace plectl::cli {
namespace {

using host::KvmModule;
using host::ParamValues;

struct Shown {
  KvmModule module;
  ParamValues values;
  std::optional<std::string> off_because;
  Status journal;  // failed: not clean, or not readable
};

Result<Shown> Collect(const HostRoot& root) {
  Status journal = host::CheckJournalClean(root);
  const Result<KvmModule> module = host::LoadedModule(root);
  // A plectl that was killed between unloading and loading explains the missing module best.
  if (!module) return Fail(journal ? module.error() : journal.error());
  PLECTL_ASSIGN_OR_RETURN(ParamValues values, host::ReadParams(root, *module));
  PLECTL_ASSIGN_OR_RETURN(auto off_because, host::WhyPleIsOff(root, *module, values));
  return Shown{*module, std::move(values), std::move(off_because), std::move(journal)};
}

void PrintJson(const Shown& shown) {
  nlohmann::ordered_json json = {{"module", host::ModuleName(shown.module)},
                                 {"params", shown.values},
                                 {"ple_off_because", nullptr},
                                 {"journal_clean", shown.journal.has_value()}};
  if (shown.off_because) json["ple_off_because"] = *shown.off_because;
  if (!shown.journal) json["journal"] = shown.journal.error().message;
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void PrintPleParams(const HostRoot& root, const Shown& shown) {
  for (const host::PleParam& param : host::PleParams(shown.module)) {
    const auto found = shown.values.find(std::string(param.name));
    const std::string value = found == shown.values.end() ? "-" : found->second;
    const std::optional<uint64_t> by_kernel = host::KernelDefault(root, param);
    fmt::print("  {:<26} {:>10}  {} (default {})\n", param.name, value, param.meaning,
               by_kernel ? std::to_string(*by_kernel) : "unknown");
  }
}

void PrintOtherParams(const Shown& shown) {
  ParamValues others = shown.values;
  for (const host::PleParam& param : host::PleParams(shown.module)) {
    others.erase(std::string(param.name));
  }
  for (const auto& [name, value] : others) fmt::print("  {:<34} {}\n", name, value);
}

void PrintText(const HostRoot& root, const Shown& shown) {
  fmt::print("{}\n", host::ModuleName(shown.module));
  PrintPleParams(root, shown);
  fmt::print("PLE: {}\n", shown.off_because ? "off: " + *shown.off_because : "on");
  fmt::print("journal: {}\n", shown.journal ? "clean" : shown.journal.error().Text());
  fmt::print("other parameters:\n");
  PrintOtherParams(shown);
}

}  // namespace

Status ShowParams(const HostRoot& root, const std::string& format) {
  PLECTL_ASSIGN_OR_RETURN(const Shown shown, Collect(root));
  format == "json" ? PrintJson(shown) : PrintText(root, shown);
  return OkStatus();
}

}  // namespace plectl::cli
