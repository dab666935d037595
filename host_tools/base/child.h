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
#include "host_tools/base/host_root.h"
#include "host_tools/base/memory_cgroup.h"
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
  // The most memory that the program and all that it starts may use together (cgroup v2), or, where
  // no cgroup can be made, that each of them may map (RLIMIT_AS, getrlimit(2)); so not for programs
  // that reserve much and use little. Nothing: as much as we may.
  std::optional<uint64_t> memory_limit_bytes;
  HostRoot cgroup_host;  // where a cgroup is looked for
};

// Whether a child can have new_network_namespace: needs CAP_SYS_ADMIN, or user namespaces, which
// containers and hardened kernels often forbid.
bool NetworkNamespacesAllowed();

// What holds a child to its memory limit.
enum class MemoryLimiter {
  kNone,
  kCgroup,        // memory.max of a cgroup v2
  kAddressSpace,  // RLIMIT_AS
};

// What a child has used, with the children that it has waited for (getrusage(2)).
struct ChildUsage {
  int64_t wall_ns = 0;  // from its start until we learnt of its end
  int64_t user_ns = 0;
  int64_t system_ns = 0;
  // Resident set of the largest process; of all together in a cgroup whose kernel tells.
  uint64_t peak_memory_bytes = 0;
  MemoryLimiter limiter = MemoryLimiter::kNone;
  std::string no_cgroup_because;       // with kAddressSpace
  bool exceeded_memory_limit = false;  // the kernel killed it for that; kCgroup only
  // "12.3 s (user 11.0 s, system 0.2 s), at most 180 MiB".
  [[nodiscard]] std::string Text() const;
};

// How a child ended.
struct ChildExit {
  int exit_code = 0;  // valid when signal is 0
  int signal = 0;     // that killed it, or 0
  ChildUsage usage;
  [[nodiscard]] bool ok() const { return signal == 0 && exit_code == 0; }
  // "exit code 3", "SIGKILL (Killed)" or "signal 35 (Real-time signal 1)".
  [[nodiscard]] std::string Text() const;
};

// A running child in its own process group. It dies with this object and with the thread
// that started it (PR_SET_PDEATHSIG, prctl(2)); it is always reaped. When it ends, the rest of its
// group is killed. What leaves the group (setsid(2)) is killed with it in a cgroup only, and what
// it has started may outlive a SIGKILL of this process.
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
  // Kills what is left of its group when the child itself has ended and is not reaped yet.
  void KillRest() const;

 private:
  Result<std::optional<ChildExit>> Reap(int options);
  static Result<Child> Launch(const ChildOptions& options, const std::function<int()>& body);
  Child(pid_t pid, Fd pidfd, Fd out, Fd err);
  void NoteLimiter(Result<MemoryCgroup> cgroup, int enter_error);
  // Adds what the limiter knows, and removes the cgroup.
  void FinishLimit(ChildUsage& usage);
  pid_t pid_ = -1;
  std::optional<MemoryCgroup> cgroup_;
  MemoryLimiter limiter_ = MemoryLimiter::kNone;
  std::string no_cgroup_because_;
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

// Runs a child to its end. It is killed at the deadline, when it writes more than 64 MiB, or, in a
// cgroup, when it uses more than its memory limit; that is an error that says what it had used, as
// is a program that is not there. Any other exit code is a result. A process that has left the
// group and keeps the output open is not waited for.
Result<ChildOutput> RunChild(const ChildOptions& options, std::chrono::milliseconds deadline);

// RunChild, and an Environment error with the last line of stderr, and with the memory limit when
// there is one, unless it exits with 0. Returns its stdout.
Result<std::string> RunChildOrFail(const ChildOptions& options, std::chrono::milliseconds deadline);

}  // namespace plectl
