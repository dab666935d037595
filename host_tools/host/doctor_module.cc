// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of the KVM module: is it there, who holds it, is something to be restored.
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "host_tools/base/text.h"
#include "host_tools/host/doctor_checks.h"
#include "host_tools/host/module_holders.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/param_journal.h"

namespace plectl::host {
namespace {

constexpr size_t kHoldersShown = 5;

// Whether an index of the running kernel's modules names the module's file; nothing without one.
std::optional<bool> IsListed(const HostRoot& root, KvmModule module, std::string_view index) {
  const std::string release = root.ReadTrimmed("/proc/sys/kernel/osrelease").value_or("");
  const Result<std::string> text = root.Read(fmt::format("/lib/modules/{}/{}", release, index));
  if (!text) return std::nullopt;
  const std::string_view file = module == KvmModule::kIntel ? "/kvm-intel.ko" : "/kvm-amd.ko";
  return text->find(file) != std::string::npos;
}

Finding NotLoaded(const DoctorFacts& facts) {
  const Error& error = facts.module.error();
  if (facts.hidden) return Unknown(error.message, error.hint);
  Finding finding = Blocker(error.message, error.hint);
  const std::optional<KvmModule> wanted = facts.WantedModule();
  if (!wanted) return finding;
  if (IsListed(facts.root, *wanted, "modules.builtin").value_or(false)) {
    finding.seen += "; it is built into the kernel, but did not start";
    finding.fix = "see dmesg for its reason: firmware switch, or disabled on the command line";
  } else if (!IsListed(facts.root, *wanted, "modules.dep").value_or(true)) {
    finding.seen += "; no file of it is installed for the running kernel";
    finding.fix = "install the running kernel's modules, then sudo modprobe " +
                  std::string(ModuleName(*wanted));
  }
  return finding;
}

Finding LookAtModule(const DoctorFacts& facts) {
  if (!facts.module) return NotLoaded(facts);
  const std::string_view name = ModuleName(*facts.module);
  if (!facts.params) return Unknown(facts.params.error().message);
  if (!facts.built_in) return Ok(fmt::format("{} is loaded", name));
  const bool listed = IsListed(facts.root, *facts.module, "modules.builtin").value_or(false);
  Finding finding = Warning(
      fmt::format("{} is built into the kernel{}", name, listed ? ", as modules.builtin says" : ""),
      fmt::format("set {}.NAME=VALUE on the kernel command line and reboot for each setting",
                  name));
  finding.why = "it cannot be reloaded, so plectl refuses plans that change its parameters";
  return finding;
}

std::string HoldersText(const std::vector<Holder>& holders) {
  std::vector<std::string> texts;
  for (const Holder& holder : holders) {
    if (texts.size() < kHoldersShown) texts.push_back(HolderText(holder));
  }
  const size_t more = holders.size() - texts.size();
  return fmt::format("{}{}", fmt::join(texts, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

Finding HeldBy(const DoctorFacts& facts, uint64_t references) {
  const auto kvm = facts.kvm_holders.value_or(std::vector<Holder>{});
  const auto tracing = TracingHolders(facts.root).value_or(std::vector<Holder>{});
  const std::string why_unseen = WhyHoldersUnseen(facts.root);
  const std::string unseen = why_unseen.empty() ? "" : "; " + why_unseen;
  const std::string seen =
      fmt::format("{} references to {}", references, ModuleName(*facts.module));
  if (!kvm.empty()) {
    return Warning(fmt::format("{}: {}{}", seen, HoldersText(kvm), unseen),
                   HowToEnd(kvm) + ", before a sweep");
  }
  return Warning(
      fmt::format("{}, but no open KVM file{}{}", seen,
                  tracing.empty() ? "" : ": they may belong to " + HoldersText(tracing), unseen),
      StepForUnknownHolder(why_unseen));
}

Finding LookAtHolders(const DoctorFacts& facts) {
  if (!facts.module) return Unknown(facts.module.error().message);
  if (facts.built_in) return Ok("built in: nothing can hold it back from a reload it never gets");
  const auto references = ModuleReferences(facts.root, *facts.module);
  if (!references) return Unknown(references.error().message);
  if (!*references) return Unknown("the kernel shows no reference count (CONFIG_MODULE_UNLOAD)");
  if (**references == 0) return Ok(fmt::format("nothing uses {}", ModuleName(*facts.module)));
  return HeldBy(facts, **references);
}

// Whether the plectl that wrote the journal is still at work in this boot.
bool IsAtWork(const HostRoot& root, const ParamJournal& journal) {
  return root.ReadTrimmed(fmt::format("/proc/{}/comm", journal.pid)).value_or("") == "plectl" &&
         BootId(root).value_or("") == journal.boot_id;
}

Finding LookAtJournal(const DoctorFacts& facts) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(facts.root.Path(kJournalPath), error);
  if (status.type() == std::filesystem::file_type::none) {
    return Unknown(fmt::format("{}: {}", kJournalPath, error.message()), std::string(kAskRoot));
  }
  const Result<std::optional<ParamJournal>> journal = LoadJournal(facts.root);
  if (!journal) return Blocker(journal.error().message, journal.error().hint);
  if (!*journal) return Ok("clean: nothing is to be restored");
  if (IsAtWork(facts.root, **journal)) {
    return Blocker(fmt::format("plectl (PID {}) is at work on {}", (*journal)->pid,
                               ModuleName((*journal)->module)),
                   "wait until it ends; it restores the parameters itself");
  }
  const Status dirty = CheckJournalClean(facts.root);
  return dirty ? Ok("clean: just restored") : Blocker(dirty.error().message, dirty.error().hint);
}

constexpr std::array kChecks = {
    Check{"kvm_module", "kvm_intel or kvm_amd holds the PLE parameters and makes the exits",
          LookAtModule},
    Check{"module_holders",
          "PLE parameters change only by a reload, which plectl refuses while the module is in use",
          LookAtHolders},
    Check{"journal", "while parameters wait for their restoration, plectl changes nothing else",
          LookAtJournal},
};

}  // namespace

bool DoctorFacts::IsInKernelImage() const {
  const auto wanted = WantedModule();
  return built_in ||
         (!module && wanted && IsListed(root, *wanted, "modules.builtin").value_or(false));
}

std::span<const Check> ModuleChecks() { return kChecks; }

}  // namespace plectl::host
