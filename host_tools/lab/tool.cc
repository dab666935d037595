// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/tool.h"

#include <cstdint>
#include <utility>

#include "host_tools/base/child.h"
#include "host_tools/lab/required_files.h"

namespace plectl::lab {
namespace {

// Far more than any of them needs, also with a thread for each CPU of a large machine.
constexpr uint64_t kToolMemoryLimitBytes = uint64_t{4} << 30;

}  // namespace

Result<std::string> RunTool(std::vector<std::string> argv,
                            const std::filesystem::path& working_directory,
                            std::chrono::seconds deadline) {
  PLECTL_ASSIGN_OR_RETURN(const std::filesystem::path program,
                          FindProgram(HostRoot(), argv.front()));
  ChildOptions options;
  options.argv = std::move(argv);
  options.argv.front() = program.string();
  options.working_directory = working_directory;
  options.memory_limit_bytes = kToolMemoryLimitBytes;
  return RunChildOrFail(options, deadline);
}

}  // namespace plectl::lab
