// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl {

// What to start and how. Never a shell: `argv[0]` is looked up in PATH and each argument is passed
// as it is.
struct ChildOptions {
  std::vector<std::string> argv;
  std::filesystem::path working_directory;           // empty: ours
  std::optional<std::string> standard_input;         // nothing: /dev/null
  std::optional<std::filesystem::path> output_file;  // stdout and stderr go there together
  bool new_network_namespace = false;  // no port it opens is reachable from outside; has loopback
  std::vector<std::pair<std::string, std::string>> environment;  // over ours
  // The most address space that the program, and each that it starts, may map (RLIMIT_AS,
  // getrlimit(2)); nothing: as much as we may. Not for programs that reserve much and use little.
  std::optional<uint64_t> memory_limit_bytes;
};

// Whether a child can have new_network_namespace: needs CAP_SYS_ADMIN, or user namespaces, which
// containers and hardened kernels often forbid.
bool NetworkNamespacesAllowed();

// What a child has used, with the children that it has waited for (getrusage(2)).
struct ChildUsage {
  int64_t wall_ns = 0;  // from its start until we learnt of its end
  int64_t user_ns = 0;
  int64_t system_ns = 0;
  uint64_t peak_memory_bytes = 0;  // resident set; of the largest process
  // "12.3 s (user 11.0 s, system 0.2 s), at most 180 MiB".
  [[nodiscard]] std::string Text() const;
};

// How a child ended.
struct ChildExit {
  int exit_code = 0;  // valid when signal is 0
  int signal = 0;     // that killed it, or 0
  ChildUsage usage;
  [[nodiscard]] bool ok() const { return signal == 0 && exit_code == 0; }
  // "exit code 3" or "SIGKILL (Killed)".
  [[nodiscard]] std::string Text() const;
};

// A running child in its own process group. It dies with this object and with the thread
// that started it (PR_SET_PDEATHSIG, prctl(2)); it is always reaped.
class Child {
 public:
  static Result<Child> Start(const ChildOptions& options);
  // The same, but the child is a copy of this process that runs `body` and exits with what it
  // returns; argv only names it. This process must have no other threads.
  static Result<Child> Fork(const ChildOptions& options, const std::function<int()>& body);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // What the child wrote to stdout and stderr (separately), when there is no output_file. Read ends
  // of pipes; invalid otherwise.
  [[nodiscard]] int stdout_fd() const { return stdout_.get(); }
  [[nodiscard]] int stderr_fd() const { return stderr_.get(); }
  // Readable when the child has ended (pidfd).
  [[nodiscard]] int exit_fd() const { return pidfd_.get(); }
  // Waits up to `timeout`; nothing when it is still running then.
  Result<std::optional<ChildExit>> Wait(std::chrono::milliseconds timeout);
  // Kills the whole process group (SIGKILL) and reaps the child. All zero when it was reaped
  // before.
  ChildUsage Kill();

 private:
  Result<std::optional<ChildExit>> Reap(int options);
  static Result<Child> Launch(const ChildOptions& options, const std::function<int()>& body);
  Child(pid_t pid, Fd pidfd, Fd out, Fd err);
  pid_t pid_ = -1;
  int64_t start_ns_ = 0;  // MonotonicNs()
  Fd pidfd_;
  Fd stdout_;
  Fd stderr_;
};

struct ChildOutput {
  ChildExit exit;
  std::string out;
  std::string err;
};

// Runs a child to its end. It is killed at the deadline, or when it writes more than 64 MiB; that
// is an error that says what it had used, as is a program that is not there. Any other exit code is
// a result.
Result<ChildOutput> RunChild(const ChildOptions& options, std::chrono::milliseconds deadline);

// RunChild, and an Environment error with the last line of stderr, and with the memory limit when
// there is one, unless it exits with 0. Returns its stdout.
Result<std::string> RunChildOrFail(const ChildOptions& options, std::chrono::milliseconds deadline);

}  // namespace plectl
