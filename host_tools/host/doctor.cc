// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/doctor.h"

#include <algorithm>
#include <array>
#include <utility>

#include "host_tools/base/utf8.h"
#include "host_tools/host/doctor_checks.h"
#include "host_tools/host/install_line.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

// Enough for five names of 255 bytes, as long as any file's, in an escaped form.
constexpr size_t kTextBytesMax = 8000;

// Files of the host, also those that anyone may write, must not steer the reader's terminal.
std::string OneLine(const std::string& text) { return Printable(Shortened(text, kTextBytesMax)); }

CheckResult Run(const Check& check, const DoctorFacts& facts) {
  Finding finding = check.look(facts);
  const std::string why = finding.why.empty() ? std::string(check.why) : std::move(finding.why);
  return {check.id, finding.verdict, OneLine(finding.seen), OneLine(why), OneLine(finding.fix)};
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  constexpr std::array<std::string_view, 4> kNames = {"ok", "unknown", "warning", "blocker"};
  return kNames.at(static_cast<size_t>(verdict));
}

Verdict Diagnosis::verdict() const {
  Verdict gravest = Verdict::kOk;
  for (const CheckResult& check : checks) gravest = std::max(gravest, check.verdict);
  return gravest;
}

Diagnosis Diagnose(const HostRoot& root) {
  const DoctorFacts facts = DoctorFacts::Gather(root);
  Diagnosis diagnosis;
  for (const auto& checks :
       {CpuChecks(), ModuleChecks(), LoadChecks(), ParamChecks(), OptionChecks(), AccessChecks(),
        KernelChecks(), SchedulerChecks(), ObserverChecks(), MeasurementChecks(), FrequencyChecks(),
        VcpuChecks()}) {
    for (const Check& check : checks) diagnosis.checks.push_back(Run(check, facts));
  }
  return diagnosis;
}

DoctorFacts DoctorFacts::Gather(const HostRoot& root) {
  const Result<KvmModule> module = LoadedModule(root);
  const bool built_in = module && IsBuiltIn(root, *module);
  const ModprobeConfig config = ReadModprobeConfig(root);
  const Result<std::vector<Holder>> holders = KvmFileHolders(root);
  DoctorFacts facts{root,
                    CpuInfo::Read(root),
                    module,
                    module ? std::nullopt : HiddenModule(root),
                    built_in,
                    module ? ReadParams(root, *module) : Result<ParamValues>(Fail(module.error())),
                    config,
                    {},
                    {},
                    holders,
                    VcpuThreadsOf(root, holders.value_or(std::vector<Holder>{})),
                    ReadSchedulerFacts(root)};
  if (module) facts.next_options = OptionsAtNextLoad(config, ModuleName(*module), built_in);
  if (const auto wanted = facts.WantedModule(); wanted && !built_in) {
    facts.install_line = FindInstallLine(config, ModuleName(*wanted));
  }
  return facts;
}

bool DoctorFacts::HasFlag(std::string_view flag) const {
  return cpu && cpu->HasFlag("flags", flag).value_or(false);
}

std::optional<KvmModule> DoctorFacts::WantedModule() const {
  if (module) return *module;
  if (hidden) return hidden;
  if (HasFlag("vmx")) return KvmModule::kIntel;
  if (HasFlag("svm")) return KvmModule::kAmd;
  return std::nullopt;
}

std::optional<std::string> DoctorFacts::Param(std::string_view name) const {
  if (!params) return std::nullopt;
  const auto found = params->find(std::string(name));
  return found == params->end() ? std::nullopt : std::optional(found->second);
}

Finding Ok(std::string seen) { return {Verdict::kOk, std::move(seen), {}, {}}; }

Finding Unknown(std::string because, std::string fix) {
  return {Verdict::kUnknown, std::move(because), std::move(fix), {}};
}

Finding Warning(std::string seen, std::string fix) {
  return {Verdict::kWarning, std::move(seen), std::move(fix), {}};
}

Finding Blocker(std::string seen, std::string fix) {
  return {Verdict::kBlocker, std::move(seen), std::move(fix), {}};
}

}  // namespace plectl::host
