// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "host_tools/base/file.h"

namespace plectl::lab {

// Whether this process may make network namespaces, as starting an engine needs.
inline bool CanMakeNetworkNamespaces() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const bool can = ::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    ::_exit(can ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// A program that stands in for Bochs: a shell script, run in the run's directory.
inline std::string WriteFakeEngine(const std::filesystem::path& directory,
                                   std::string_view script) {
  const std::filesystem::path engine = directory / "fake-engine";
  const Status written = WriteFileAtomically(engine, "#!/bin/sh\n" + std::string(script), 0755);
  return written ? engine.string() : "";
}

}  // namespace plectl::lab
