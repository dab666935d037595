// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/bpf/exit_slots.h"

struct bpf_program;

namespace plectl::host {

// Keeps what libbpf says in this thread away from the terminal while it exists. One at a time per
// thread.
class LibbpfLog {
 public:
  LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;
  ~LibbpfLog();
  // The warnings so far as one line, cut when they are long. The verifier's log, which helps nobody
  // but who writes the programs, is left out unless PLECTL_BPF_LOG=1 is in the environment.
  [[nodiscard]] std::string Text() const;

 private:
  std::string text_;
};

// An Environment error for something that libbpf or the BPF system call refused with
// `error_number`, with what libbpf said about it; or only that the kernel is locked down, when
// that is why.
Failure BpfFailure(const HostRoot& root, std::string_view tried, int error_number,
                   const LibbpfLog& log);

// libbpf's warnings without the parts that are the verifier's log.
std::string WithoutVerifierLog(std::string_view text);

// Empty, or that the kernel lets nobody, root neither, read its memory or trace it:
// lockdown=confidentiality.
std::string LockedDownBecause(const HostRoot& root);
inline constexpr std::string_view kLockedDownHint =
    "boot with lockdown=integrity, or Secure Boot off; or count nothing: --observer none";

// How often the kernel did not run a program since it ran already on that CPU, be it in another
// thread that was preempted amid it.
Result<uint64_t> RecursionMisses(const bpf_program* program);

// How many returns a kretprobe's link missed since too many functions were on their way at once, or
// nothing where the kernel does not say (before Linux 6.7).
std::optional<uint64_t> KretprobeMisses(int link_fd);

// The identity of our pid namespace as the helper bpf_get_ns_current_pid_tgid() wants it.
struct PidNamespace {
  uint64_t dev = 0;  // in the kernel's own encoding of a device number
  uint64_t inode = 0;
};
Result<PidNamespace> OwnPidNamespace(const HostRoot& root);

// Makes the BPF programs that share `armed` and `rows` count the events of exactly these threads:
// thread i's in row i. BadInput for more than kMaxVcpus.
Status ArmVcpus(pid_t tgid, std::span<const pid_t> tids, ArmedVcpus& armed,
                std::span<VcpuRow, kMaxVcpus> rows);
// Forgets the threads and vCPUs, not the counts.
void DisarmVcpus(ArmedVcpus& armed, std::span<VcpuRow, kMaxVcpus> rows);

// Owns an object made by "bpftool gen skeleton".
template <class Skeleton>
struct DestroySkeleton {
  void operator()(Skeleton* skeleton) const { Skeleton::destroy(skeleton); }
};
template <class Skeleton>
using SkeletonPtr = std::unique_ptr<Skeleton, DestroySkeleton<Skeleton>>;

// Notices the events that the kernel did not give to programs because the same program was already
// running on that CPU (recursion_misses of bpf_prog_info; Linux 5.12 and later).
class MissWatch {
 public:
  // Counts from now on.
  Status Start(std::vector<const bpf_program*> programs);
  // Empty, or how many events were missed since Start(), also of threads that are not armed.
  [[nodiscard]] Result<std::string> LostBecause() const;

 private:
  std::vector<const bpf_program*> programs_;
  uint64_t misses_at_start_ = 0;
};

}  // namespace plectl::host
