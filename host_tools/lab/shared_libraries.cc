// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/shared_libraries.h"

#include <fmt/format.h>

#include <chrono>

#include "host_tools/base/child.h"
#include "host_tools/base/text.h"

namespace plectl::lab {
namespace {

constexpr std::chrono::seconds kLddDeadline(30);

// "/lib/libc.so.6 (0x7f...)" -> "/lib/libc.so.6".
std::string_view WithoutAddress(std::string_view text) {
  const size_t address = text.rfind(" (0x");
  return Trim(text.substr(0, address));
}

}  // namespace

std::vector<SharedLibrary> ParseLdd(std::string_view output) {
  constexpr std::string_view kArrow = " => ";
  std::vector<SharedLibrary> libraries;
  for (const std::string_view raw_line : Split(output, '\n')) {
    const std::string_view line = Trim(raw_line);
    const size_t arrow = line.find(kArrow);
    if (arrow == std::string_view::npos) {
      if (line.starts_with('/')) {
        const std::string loader(WithoutAddress(line));
        libraries.push_back({loader, loader});
      }
      continue;  // linux-vdso.so.1, "statically linked", an empty line
    }
    const std::string name(Trim(line.substr(0, arrow)));
    const std::string file(WithoutAddress(line.substr(arrow + kArrow.size())));
    const bool is_found = file.starts_with('/');  // else "not found"
    libraries.push_back({name, is_found ? file : ""});
  }
  return libraries;
}

Result<std::vector<SharedLibrary>> WantedLibrariesOf(const std::filesystem::path& program) {
  ChildOptions options;
  options.argv = {"ldd", program.string()};
  options.environment = {{"LC_ALL", "C"}};
  PLECTL_ASSIGN_OR_RETURN(const ChildOutput output, RunChild(options, kLddDeadline));
  if (output.exit.ok()) return ParseLdd(output.out);
  if (output.err.find("not a dynamic executable") != std::string::npos) {
    return std::vector<SharedLibrary>();
  }
  return Environment(
      fmt::format("ldd {}: {}: {}", program.string(), output.exit.Text(), TrimRight(output.err)));
}

Result<std::vector<SharedLibrary>> SharedLibrariesOf(const std::filesystem::path& program) {
  PLECTL_ASSIGN_OR_RETURN(auto libraries, WantedLibrariesOf(program));
  for (const SharedLibrary& library : libraries) {
    if (!library.file.empty()) continue;
    return Environment(
        fmt::format("{} needs the shared library {}: not found", program.string(), library.name),
        "build it on this machine, or install the library");
  }
  return libraries;
}

}  // namespace plectl::lab
