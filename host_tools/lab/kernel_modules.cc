// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_modules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "host_tools/base/file.h"
#include "host_tools/base/text.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/tool.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

struct Compression {
  std::string_view suffix;
  std::string_view program;  // takes --decompress, and removes the compressed file
};

constexpr std::array<Compression, 3> kCompressions = {
    {{".xz", "xz"}, {".zst", "zstd"}, {".gz", "gzip"}}};

// What the build of the kernel lists of its modules; depmod(8) makes the other files.
constexpr std::array<std::string_view, 3> kBuildLists = {"modules.order", "modules.builtin",
                                                         "modules.builtin.modinfo"};

const Compression* CompressionOf(std::string_view file) {
  const auto* const found =
      std::find_if(kCompressions.begin(), kCompressions.end(),
                   [&](const Compression& one) { return file.ends_with(one.suffix); });
  return found == kCompressions.end() ? nullptr : found;
}

std::string_view WithoutCompression(std::string_view file) {
  const Compression* compression = CompressionOf(file);
  if (compression != nullptr) file.remove_suffix(compression->suffix.size());
  return file;
}

Status Run(std::vector<std::string> argv, const fs::path& directory) {
  PLECTL_ASSIGN_OR_RETURN([[maybe_unused]] const std::string output,
                          RunTool(std::move(argv), directory));
  return OkStatus();
}

// Takes out debug information and the names of local data. As a module is loaded, ftrace looks for
// each of its functions among all of its symbols (test_for_valid_rec() in kernel/trace/ftrace.c):
// nearly half of those of kvm.ko are such names, and they are a tenth of a boot.
Status Strip(const fs::path& module, const fs::path& directory) {
  PLECTL_ASSIGN_OR_RETURN(const std::string symbols,
                          RunTool({"nm", "--defined-only", module.string()}, directory));
  const fs::path kept = module.string() + ".symbols";
  PLECTL_RETURN_IF_ERROR(WriteFileAtomically(kept, FunctionsIn(symbols)));
  PLECTL_RETURN_IF_ERROR(Run({"objcopy", "--strip-debug", "--strip-unneeded",
                              "--keep-symbols=" + kept.string(), module.string()},
                             directory));
  return RemoveFileDurably(kept);
}

Status CopyModule(const fs::path& from, const fs::path& to, const std::string& file) {
  PLECTL_RETURN_IF_ERROR(CopyInto(from / file, to / file));
  PLECTL_RETURN_IF_ERROR(Decompress(to / file));
  return Strip(to / WithoutCompression(file), to);
}

// Of other links to the files nothing changes: gzip(1) writes new files.
Status Gunzip(std::span<const std::string> files, const fs::path& directory) {
  constexpr size_t kAtOnce = 500;  // far from what a command line may hold
  while (!files.empty()) {
    const auto some = files.first(std::min(files.size(), kAtOnce));
    std::vector<std::string> argv = {"gzip", "--decompress", "--force", "--quiet"};
    argv.insert(argv.end(), some.begin(), some.end());
    PLECTL_RETURN_IF_ERROR(Run(std::move(argv), directory));
    files = files.subspan(some.size());
  }
  return OkStatus();
}

}  // namespace

// Not left to the lab: an emulator decompresses slowly, and objcopy(1) cannot read what is
// compressed.
Status Decompress(const fs::path& file) {
  const Compression* compression = CompressionOf(file.string());
  if (compression == nullptr) return OkStatus();
  std::vector<std::string> argv = {std::string(compression->program), "--decompress", "--force",
                                   "--quiet", file.string()};
  if (compression->suffix == ".zst") argv.insert(argv.end() - 1, "--rm");
  Status done = Run(std::move(argv), file.parent_path());
  if (done) return done;
  return Environment(
      fmt::format("cannot decompress {}: {}", file.filename().string(), done.error().message),
      "sudo apt-get install xz-utils zstd gzip");
}

Status StageModules(const fs::path& directory, const std::string& release, const fs::path& staged) {
  const fs::path place = staged / "lib/modules" / release;
  PLECTL_RETURN_IF_ERROR(MakeDirectories(place));
  std::vector<std::string> packed;
  std::error_code error;
  fs::recursive_directory_iterator entries(directory, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    const bool needed = WithoutCompression(name).ends_with(".ko") ||
                        std::ranges::find(kBuildLists, name) != kBuildLists.end();
    if (!needed || !entries->is_regular_file(error)) continue;
    const fs::path to = place / entries->path().lexically_relative(directory);
    PLECTL_RETURN_IF_ERROR(MakeDirectories(to.parent_path()));
    PLECTL_RETURN_IF_ERROR(LinkInto(entries->path(), to));
    if (name.ends_with(".gz")) packed.push_back(to.string());
  }
  if (error) return SystemFailure(fmt::format("list {}", directory.string()), error.value());
  PLECTL_RETURN_IF_ERROR(Gunzip(packed, staged));
  return Run({"depmod", "-b", staged.string(), release}, staged);
}

Status CopyModules(const fs::path& staged, const fs::path& to, const std::string& release,
                   const std::vector<std::string>& modules) {
  const fs::path place = fs::path("lib/modules") / release;
  PLECTL_RETURN_IF_ERROR(MakeDirectories(to / place));
  PLECTL_ASSIGN_OR_RETURN(const std::string dependencies, ReadFile(staged / place / "modules.dep"));
  for (const std::string& file : ParseModuleFiles(dependencies, modules)) {
    PLECTL_RETURN_IF_ERROR(CopyModule(staged / place, to / place, file));
  }
  for (const std::string_view file : kBuildLists) {
    std::error_code error;
    if (!fs::exists(staged / place / file, error)) continue;
    PLECTL_RETURN_IF_ERROR(CopyInto(staged / place / file, to / place / file));
  }
  return Run({"depmod", "-b", to.string(), release}, to);
}

std::string FunctionsIn(std::string_view nm_output) {
  constexpr std::string_view kFunctionTypes = "tTwW";
  std::string names;
  for (const std::string_view line : Split(nm_output, '\n')) {
    const auto fields = Split(line, ' ');  // address, type, name
    if (fields.size() != 3 || fields[1].size() != 1) continue;
    if (kFunctionTypes.find(fields[1]) != std::string_view::npos) names.append(fields[2]) += '\n';
  }
  return names;
}

std::vector<std::string> ParseModuleFiles(std::string_view modules_dep,
                                          const std::vector<std::string>& modules) {
  std::set<std::string> files;
  for (const std::string_view line : Split(modules_dep, '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view file = line.substr(0, colon);
    const std::string name = fs::path(WithoutCompression(file)).stem().string();
    if (std::ranges::find(modules, name) == modules.end()) continue;
    files.emplace(file);
    for (const std::string_view needed : Split(line.substr(colon + 1), ' ')) {
      if (!needed.empty()) files.emplace(needed);
    }
  }
  return {files.begin(), files.end()};
}

}  // namespace plectl::lab
