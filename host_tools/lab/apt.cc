// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/apt.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <vector>

#include "host_tools/base/child.h"
#include "host_tools/base/file.h"
#include "host_tools/base/text.h"
#include "host_tools/lab/tool.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kDownloadDeadline(600);
constexpr std::string_view kDebianMirror = "http://deb.debian.org/debian";
constexpr std::string_view kSecurityMirror = "http://deb.debian.org/debian-security";
constexpr std::string_view kKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
constexpr std::string_view kSourcesFile = "sources.list";
constexpr std::string_view kConfigurationFile = "apt.conf";

// Runs apt; its error is apt's first, since what follows only says that something failed.
Result<std::string> RunApt(const fs::path& configuration, std::vector<std::string> argv,
                           const fs::path& working_directory, std::chrono::seconds deadline) {
  ChildOptions options;
  options.argv = std::move(argv);
  options.working_directory = working_directory;
  options.environment = {{"LC_ALL", "C"}};
  if (!configuration.empty()) options.environment.emplace_back("APT_CONFIG", configuration);
  PLECTL_ASSIGN_OR_RETURN(ChildOutput output, RunChild(options, deadline));
  if (output.exit.ok()) return std::move(output.out);
  std::string_view why = TrimRight(output.err);
  for (const std::string_view line : Split(output.err, '\n')) {
    if (!line.starts_with("E: ")) continue;
    why = line;
    break;
  }
  return Environment(
      fmt::format("{} {}: {}: {}", options.argv[0], options.argv[1], output.exit.Text(), why));
}

Result<std::string> AskMachine(std::vector<std::string> argv) {
  return RunApt({}, std::move(argv), {}, kToolDeadline);
}

// apt.conf(5) knows no escapes.
Status CheckQuotable(const fs::path& directory) {
  if (directory.string().find_first_of("\"\n;") == std::string::npos) return OkStatus();
  return BadInput(fmt::format("apt cannot work in {}: a quote, semicolon or newline in its name",
                              directory.string()),
                  "use another --lab-dir");
}

Status WriteState(const fs::path& directory, const DebianRelease& release) {
  if (std::error_code error; !fs::exists(kKeyring, error)) {
    return Environment(
        fmt::format("there is no {}, which proves that a package is Debian's", kKeyring),
        "sudo apt-get install debian-archive-keyring");
  }
  PLECTL_ASSIGN_OR_RETURN(const std::string targets,
                          AskMachine({"apt-get", "indextargets", "--format",
                                      std::string(kMirrorFormat), "Created-By: Packages"}));
  PLECTL_ASSIGN_OR_RETURN(const std::string dump, AskMachine({"apt-config", "dump"}));
  for (const char* below : {"lists/partial", "cache/archives/partial"}) {
    PLECTL_RETURN_IF_ERROR(MakeDirectories(directory / below));
  }
  PLECTL_RETURN_IF_ERROR(WriteFileAtomically(directory / "status", ""));
  PLECTL_RETURN_IF_ERROR(WriteFileAtomically(directory / kSourcesFile,
                                             SourcesOf(release, ParseDebianMirrors(targets))));
  return WriteFileAtomically(directory / kConfigurationFile,
                             PrivateAptConfiguration(directory, dump));
}

Failure CannotUpdate(const DebianRelease& release, const std::string& why,
                     const std::string& hint) {
  if (LacksKey(why)) {
    return Environment(
        fmt::format("{} lacks the key that signs {}: {}", kKeyring, release.suite, why),
        "sudo apt-get update && sudo apt-get install debian-archive-keyring");
  }
  return Environment(fmt::format("cannot fetch the package lists of {}: {}", release.suite, why),
                     hint);
}

}  // namespace

Result<Apt> Apt::OfRelease(const fs::path& directory, const DebianRelease& release,
                           const Progress& progress) {
  PLECTL_RETURN_IF_ERROR(CheckQuotable(directory));
  PLECTL_RETURN_IF_ERROR(WriteState(directory, release));
  progress(fmt::format("fetching the package lists of {}", release.suite));
  Apt apt(directory / kConfigurationFile,
          fmt::format("check the network, and that the mirror in {} has {}",
                      (directory / kSourcesFile).string(), release.suite));
  const Result<std::string> updated =
      RunApt(apt.configuration_, {"apt-get", "update"}, directory, kDownloadDeadline);
  if (!updated) return CannotUpdate(release, updated.error().message, apt.hint_);
  return apt;
}

Result<std::string> Apt::Depends(std::string_view package) const {
  Result<std::string> output =
      RunApt(configuration_, {"apt-cache", "depends", std::string(package)}, {}, kToolDeadline);
  if (!output) return Environment(output.error().message, hint_);
  return output;
}

Result<std::vector<fs::path>> Apt::Download(const std::vector<std::string>& packages,
                                            const fs::path& directory) const {
  std::vector<std::string> argv = {"apt-get", "download"};
  argv.insert(argv.end(), packages.begin(), packages.end());
  const Result<std::string> downloaded =
      RunApt(configuration_, std::move(argv), directory, kDownloadDeadline);
  if (!downloaded) {
    return Environment(
        fmt::format("cannot download {}: {}", packages.front(), downloaded.error().message), hint_);
  }
  std::vector<fs::path> debs;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".deb") debs.push_back(entry.path());
  }
  if (debs.size() == packages.size()) return debs;
  return Environment(
      fmt::format("apt-get download left {} packages instead of {}", debs.size(), packages.size()));
}

DebianMirrors ParseDebianMirrors(std::string_view index_targets) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/.-_~%+@";
  DebianMirrors mirrors;
  for (const std::string_view line : Split(index_targets, '\n')) {
    const std::vector<std::string_view> fields = Split(line, '|');
    if (fields.size() != 3 || fields[1] != "Debian") continue;
    const std::string_view uri = fields[0];
    const bool network = uri.starts_with("http://") || uri.starts_with("https://");
    if (!network || uri.find_first_not_of(kPlain) != std::string_view::npos) continue;
    if (fields[2] == "Debian" && mirrors.archive.empty()) mirrors.archive = uri;
    if (fields[2] == "Debian-Security" && mirrors.security.empty()) mirrors.security = uri;
  }
  if (mirrors.archive.empty()) mirrors.archive = kDebianMirror;
  if (mirrors.security.empty()) mirrors.security = kSecurityMirror;
  return mirrors;
}

std::string SourcesOf(const DebianRelease& release, const DebianMirrors& mirrors) {
  std::string sources;
  const auto add = [&](std::string_view mirror, std::string_view suite) {
    if (suite.empty()) return;
    sources += fmt::format("deb [signed-by={}] {} {} main\n", kKeyring, mirror, suite);
  };
  add(mirrors.archive, release.suite);
  add(mirrors.archive, release.updates);
  add(mirrors.security, release.security);
  return sources;
}

bool LacksKey(std::string_view apt_message) {
  for (const char* sign : {"NO_PUBKEY", "Missing key", "public key is not available"}) {
    if (apt_message.find(sign) != std::string_view::npos) return true;
  }
  return false;
}

std::string PrivateAptConfiguration(const fs::path& directory, std::string_view dump) {
  // Without the machine's own files, whose hooks would change its caches after an update.
  std::string configuration = fmt::format(
      "Dir::Etc::main \"/dev/null\";\n"
      "Dir::Etc::parts \"/dev/null\";\n"
      "Dir::Etc::preferences \"/dev/null\";\n"
      "Dir::Etc::preferencesparts \"/dev/null\";\n"
      "Dir::Etc::sourcelist \"{0}/{1}\";\n"
      "Dir::Etc::sourceparts \"/dev/null\";\n"
      "Dir::State \"{0}\";\n"
      "Dir::State::lists \"{0}/lists\";\n"
      "Dir::State::status \"{0}/status\";\n"
      "Dir::Cache \"{0}/cache\";\n"
      "APT::Sandbox::User \"root\";\n"
      "APT::Update::Error-Mode \"any\";\n"
      "Acquire::Languages \"none\";\n",
      directory.string(), kSourcesFile);
  constexpr std::array<std::string_view, 6> kNetwork = {"Acquire::http",    "Acquire::https",
                                                        "Acquire::socks",   "Acquire::Check-",
                                                        "Acquire::Retries", "Acquire::Force"};
  for (const std::string_view line : Split(dump, '\n')) {
    for (const std::string_view prefix : kNetwork) {
      if (line.starts_with(prefix)) configuration += fmt::format("{}\n", line);
    }
  }
  return configuration;
}

}  // namespace plectl::lab
