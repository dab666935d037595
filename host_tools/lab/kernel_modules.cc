// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_modules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

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

// Not left to the lab: an emulator decompresses slowly, and objcopy(1) cannot read what is
// compressed.
Status Decompress(const fs::path& file, const Compression& compression) {
  std::vector<std::string> argv = {std::string(compression.program), "--decompress", "--force",
                                   "--quiet", file.string()};
  if (compression.suffix == ".zst") argv.insert(argv.end() - 1, "--rm");
  Status done = Run(std::move(argv), file.parent_path());
  if (done) return done;
  return Environment(
      fmt::format("cannot decompress {}: {}", file.filename().string(), done.error().message),
      "sudo apt-get install xz-utils zstd gzip");
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
  if (const Compression* compression = CompressionOf(file); compression != nullptr) {
    PLECTL_RETURN_IF_ERROR(Decompress(to / file, *compression));
  }
  return Strip(to / WithoutCompression(file), to);
}

}  // namespace

Status CopyModules(const fs::path& from, const fs::path& to, const std::string& release,
                   const std::vector<std::string>& modules) {
  PLECTL_RETURN_IF_ERROR(Run({"depmod", "-b", from.string(), release}, from));
  const fs::path place = fs::path("lib/modules") / release;
  PLECTL_ASSIGN_OR_RETURN(const std::string dependencies, ReadFile(from / place / "modules.dep"));
  PLECTL_ASSIGN_OR_RETURN(const std::vector<std::string> files,
                          ParseModuleFiles(dependencies, modules));
  for (const std::string& file : files) {
    PLECTL_RETURN_IF_ERROR(CopyModule(from / place, to / place, file));
  }
  for (const char* file : {"modules.order", "modules.builtin", "modules.builtin.modinfo"}) {
    PLECTL_RETURN_IF_ERROR(CopyInto(from / place / file, to / place / file));
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

Result<std::vector<std::string>> ParseModuleFiles(std::string_view modules_dep,
                                                  const std::vector<std::string>& modules) {
  std::set<std::string> files;
  for (const std::string& module : modules) {
    bool found = false;
    for (const std::string_view line : Split(modules_dep, '\n')) {
      const size_t colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      const std::string_view file = line.substr(0, colon);
      if (fs::path(WithoutCompression(file)).filename() != module + ".ko") continue;
      found = true;
      files.emplace(file);
      for (const std::string_view needed : Split(line.substr(colon + 1), ' ')) {
        if (!needed.empty()) files.emplace(needed);
      }
    }
    if (!found) {
      return BadInput(fmt::format("the lab's kernel package has no module {}.ko", module));
    }
  }
  return std::vector<std::string>(files.begin(), files.end());
}

}  // namespace plectl::lab
