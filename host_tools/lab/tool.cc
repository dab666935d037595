// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/tool.h"

#include <utility>

#include "host_tools/base/child.h"
#include "host_tools/lab/required_files.h"

namespace plectl::lab {

Result<std::string> RunTool(std::vector<std::string> argv,
                            const std::filesystem::path& working_directory,
                            std::chrono::seconds deadline) {
  PLECTL_ASSIGN_OR_RETURN(const std::filesystem::path program,
                          FindProgram(HostRoot(), argv.front()));
  ChildOptions options;
  options.argv = std::move(argv);
  options.argv.front() = program.string();
  options.working_directory = working_directory;
  return RunChildOrFail(options, deadline);
}

}  // namespace plectl::lab
