// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/bpf_support.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

constexpr size_t kLogTextMax = 1000;
constexpr size_t kShortTextMax = 240;

// libbpf_set_print() takes a function without a context, so the log in use must be found by it.
thread_local std::string* current_log = nullptr;

[[gnu::format(printf, 2, 0)]] int Collect(libbpf_print_level level, const char* format,
                                          va_list arguments) {
  if (level != LIBBPF_WARN || current_log == nullptr) return 0;
  char* line = nullptr;
  const int length = ::vasprintf(&line, format, arguments);
  if (length < 0) return 0;
  *current_log += line;
  std::free(line);
  return length;
}

std::string HintFor(int error_number) {
  if (error_number == EPERM || error_number == EACCES) {
    if (::geteuid() == 0) {
      return "this root has no CAP_BPF and CAP_PERFMON, as in a container: run plectl on the host "
             "itself, or use the perf observers";
    }
    return "run plectl as root (CAP_BPF and CAP_PERFMON), or use the perf observers";
  }
  return "use the perf observers on this host";
}

Result<uint64_t> TotalMisses(const std::vector<const bpf_program*>& programs) {
  uint64_t total = 0;
  for (const bpf_program* program : programs) {
    PLECTL_ASSIGN_OR_RETURN(const uint64_t misses, RecursionMisses(program));
    total += misses;
  }
  return total;
}

}  // namespace

Result<uint64_t> RecursionMisses(const bpf_program* program) {
  bpf_prog_info info = {};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0) {
    return info.recursion_misses;
  }
  return SystemFailure(
      fmt::format("read the statistics of BPF program {}", bpf_program__name(program)), errno);
}

LibbpfLog::LibbpfLog() {
  libbpf_set_print(&Collect);
  current_log = &text_;
}

LibbpfLog::~LibbpfLog() { current_log = nullptr; }

std::string LibbpfLog::Text() const {
  const char* wanted = std::getenv("PLECTL_BPF_LOG");
  const bool whole = wanted != nullptr && std::string_view(wanted) == "1";
  std::string text = whole ? text_ : WithoutVerifierLog(text_);
  const size_t max = whole ? kLogTextMax : kShortTextMax;
  if (text.size() > max) text = text.substr(text.size() - max);
  std::ranges::replace(text, '\n', ' ');
  return std::string(Trim(text));
}

std::string WithoutVerifierLog(std::string_view text) {
  constexpr std::string_view kBegin = "-- BEGIN PROG LOAD LOG --";
  constexpr std::string_view kEnd = "-- END PROG LOAD LOG --";
  std::string rest;
  bool is_log = false;
  for (const std::string_view line : Split(text, '\n')) {
    if (line.find(kBegin) != std::string_view::npos) is_log = true;
    if (!is_log && !Trim(line).empty()) rest += fmt::format("{}\n", line);
    if (line.find(kEnd) != std::string_view::npos) is_log = false;
  }
  return rest;
}

std::string LockedDownBecause(const HostRoot& root) {
  const auto lockdown = root.ReadTrimmed("/sys/kernel/security/lockdown");
  if (!lockdown || lockdown->find("[confidentiality]") == std::string::npos) return {};
  return "the kernel is locked down (lockdown=confidentiality), which refuses it to root too";
}

Failure BpfFailure(const HostRoot& root, std::string_view tried, int error_number,
                   const LibbpfLog& log) {
  const std::string locked = LockedDownBecause(root);
  if (!locked.empty() && (error_number == EPERM || error_number == EACCES)) {
    return Environment(fmt::format("{}: {}", tried, locked), std::string(kLockedDownHint));
  }
  const std::string said = log.Text();
  return SystemFailure(said.empty() ? std::string(tried) : fmt::format("{} ({})", tried, said),
                       error_number, HintFor(error_number));
}

std::optional<uint64_t> KretprobeMisses(int link_fd) {
  // struct bpf_link_info as of Linux 6.7, which the build machine's headers may not have yet.
  struct KprobeLinkInfo {
    uint32_t link_type;
    uint32_t link_id;
    uint32_t program_id;
    uint32_t padding;
    uint32_t event_type;
    uint32_t more_padding;
    uint64_t function_name;
    uint32_t function_name_size;
    uint32_t offset;
    uint64_t address;
    uint64_t missed;
  };
  constexpr uint32_t kPerfEventLink = 7;
  constexpr uint32_t kKretprobe = 4;
  // The kernel fills as much as it knows, and says how much that is.
  std::array<std::byte, 256> bytes = {};
  uint32_t size = bytes.size();
  if (bpf_obj_get_info_by_fd(link_fd, bytes.data(), &size) != 0) return std::nullopt;
  KprobeLinkInfo info = {};
  if (size < sizeof info) return std::nullopt;
  std::memcpy(&info, bytes.data(), sizeof info);
  if (info.link_type != kPerfEventLink || info.event_type != kKretprobe) return std::nullopt;
  return info.missed;
}

Result<PidNamespace> OwnPidNamespace(const HostRoot& root) {
  const std::string path = root.Path("/proc/self/ns/pid").string();
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    return SystemFailure(fmt::format("stat {}", path), errno, "mount /proc");
  }
  // MKDEV() of the kernel: 20 bits of minor number (include/linux/kdev_t.h).
  const uint64_t dev = (uint64_t{major(status.st_dev)} << 20) | minor(status.st_dev);
  return PidNamespace{.dev = dev, .inode = status.st_ino};
}

Status ArmVcpus(pid_t tgid, std::span<const pid_t> tids, ArmedVcpus& armed,
                std::span<VcpuRow, kMaxVcpus> rows) {
  if (tids.size() > kMaxVcpus) {
    return BadInput(fmt::format("count the exits of {} vCPUs: at most {}", tids.size(),
                                static_cast<int>(kMaxVcpus)));
  }
  DisarmVcpus(armed, rows);
  armed.tgid = tgid;
  std::ranges::copy(tids, std::begin(armed.tids));
  std::atomic_ref(armed.vcpus).store(static_cast<uint32_t>(tids.size()), std::memory_order_release);
  return OkStatus();
}

void DisarmVcpus(ArmedVcpus& armed, std::span<VcpuRow, kMaxVcpus> rows) {
  std::atomic_ref(armed.vcpus).store(0, std::memory_order_seq_cst);
  for (VcpuRow& row : rows) row.vcpu = row.task = 0;
}

Status MissWatch::Start(std::vector<const bpf_program*> programs) {
  programs_ = std::move(programs);
  PLECTL_ASSIGN_OR_RETURN(misses_at_start_, TotalMisses(programs_));
  return OkStatus();
}

Result<std::string> MissWatch::LostBecause() const {
  PLECTL_ASSIGN_OR_RETURN(const uint64_t misses, TotalMisses(programs_));
  if (misses == misses_at_start_) return std::string();
  return fmt::format("the kernel skipped a BPF program {} times (recursion_misses)",
                     misses - misses_at_start_);
}

}  // namespace plectl::host
