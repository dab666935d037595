// SPDX-License-Identifier: Apache-2.0
// The doctor's check of the options that modprobe.d and the kernel command line give to KVM.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host_tools/base/text.h"
#include "host_tools/host/doctor_checks.h"

namespace plectl::host {
namespace {

constexpr size_t kFlawsShown = 5;

// The names that the kernel gives every module (kernel/module/main.c).
bool IsOfEveryModule(std::string_view name) { return name == "dyndbg" || name == "async_probe"; }

std::optional<std::string> EquivalentIn(std::string_view module, std::string_view param) {
  const std::optional<KvmModule> here = ModuleFromName(module);
  for (const KvmModule other : {KvmModule::kIntel, KvmModule::kAmd}) {
    if (other == here) continue;
    const auto& params = PleParams(other);
    const auto found = std::ranges::find(params, param, &PleParam::name);
    if (found == params.end()) continue;
    const auto place = static_cast<size_t>(found - params.begin());
    return here ? fmt::format("it is of {}; the equivalent is {}", ModuleName(other),
                              PleParams(*here)[place].name)
                : fmt::format("it is of {}", ModuleName(other));
  }
  return std::nullopt;
}

// The names that a module surely has, or nothing when it cannot be told.
std::optional<std::vector<std::string>> KnownNames(const HostRoot& root, std::string_view module) {
  const auto names = root.List(fmt::format("/sys/module/{}/parameters", module));
  return names ? std::optional(*names) : std::nullopt;
}

std::optional<std::string> WhyUnknown(const DoctorFacts& facts, const ModuleOption& option) {
  if (auto elsewhere = EquivalentIn(option.module, option.name)) return elsewhere;
  const auto known = KnownNames(facts.root, option.module);
  if (!known || std::ranges::count(*known, option.name) > 0) return std::nullopt;
  const std::vector<std::string_view> views(known->begin(), known->end());
  return fmt::format("no such parameter{}", SuggestionText(option.name, views));
}

// What is wrong with an option of a KVM module, or nothing.
std::optional<std::string> FlawOf(const DoctorFacts& facts, const ModuleOption& option) {
  if (option.module != "kvm" && !ModuleFromName(option.module)) return std::nullopt;
  if (IsOfEveryModule(option.name)) return std::nullopt;
  std::optional<std::string> flaw = WhyUnknown(facts, option);
  const bool is_built_in = facts.built_in && ModuleName(*facts.module) == option.module;
  if (!flaw && is_built_in && !IsFromCommandLine(option)) {
    flaw = "no effect, since the module is built in";
  }
  if (!flaw) return std::nullopt;
  return fmt::format("{}: {} {}: {}", PlaceText(option), option.module, option.name, *flaw);
}

Finding LookAtOptions(const DoctorFacts& facts) {
  std::vector<std::string> flaws;
  size_t more = 0;
  for (const ModuleOption& option : facts.config.options) {
    const std::optional<std::string> flaw = FlawOf(facts, option);
    if (flaw && flaws.size() == kFlawsShown) ++more;
    if (flaw && flaws.size() < kFlawsShown) flaws.push_back(*flaw);
  }
  if (!flaws.empty()) {
    return Warning(fmt::format("{}{}", fmt::join(flaws, "; "),
                               more > 0 ? fmt::format("; and {} more", more) : ""),
                   "correct or remove these options: they do not do what they say");
  }
  if (!facts.config.unread.empty()) {
    return Unknown(fmt::format("{}", fmt::join(facts.config.unread, "; ")), std::string(kAskRoot));
  }
  return Ok("modprobe.d and the kernel command line hold no ineffective option for KVM");
}

constexpr std::array kChecks = {
    Check{"module_options",
          "the kernel ignores an option that a module does not have, with a line in dmesg only",
          LookAtOptions},
};

}  // namespace

std::span<const Check> OptionChecks() { return kChecks; }

}  // namespace plectl::host
