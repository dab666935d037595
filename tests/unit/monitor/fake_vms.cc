// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/monitor/fake_vms.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "host_tools/monitor/exit_slot_table.h"

namespace plectl::monitor {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kNsPerTick = 10'000'000;
constexpr uint64_t kPauseNs = 3000;
constexpr uint32_t kPauseBucket = 4;  // 2^11 to 2^12 ns

fs::path MakeFolder(const fs::path& parent) {
  std::string name = (parent / "plectl-vms-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  return name;
}

// A stat file of proc(5), up to the field that is read last.
std::string StatText(pid_t id, uint64_t start_ticks) {
  return fmt::format("{} (CPU 0/KVM) S 1 1 1 0 -1 4194560 1 0 0 0 7 8 0 0 20 0 18 0 {} 0 0 0 0 0\n",
                     id, start_ticks);
}

class FakeKernel final : public KernelCounts {
 public:
  explicit FakeKernel(FakeVms& vms) : vms_(vms) {}

  Status ForEachThread(const std::function<void(const VcpuCounts&)>& visit) override {
    Status result = std::exchange(vms_.next_read, OkStatus());
    if (!result) return result;
    for (const auto& [key, thread] : vms_.threads) {
      const VcpuCounts counts = CountsOf(thread);
      vms_.before_visit(thread);
      visit(counts);
    }
    return OkStatus();
  }
  std::optional<VcpuCounts> Find(const VcpuKey& key) override {
    const auto found = vms_.threads.find(key);
    return found == vms_.threads.end() ? std::nullopt : std::optional(CountsOf(found->second));
  }
  void Forget(std::span<const VcpuKey> keys) override {
    for (const VcpuKey& key : keys) vms_.threads.erase(key);
  }
  Result<SlotTimes> ExitTimes() override {
    SlotTimes times = {};
    for (const auto& [key, thread] : vms_.threads) {
      times[vms_.pause_slot].total_ns += thread.pauses * kPauseNs;
      times[vms_.pause_slot].log2_ns[kPauseBucket] += thread.pauses;
    }
    return times;
  }
  uint64_t LostExits() override { return vms_.lost_exits; }
  std::vector<ProbeCost> ProbeCosts() override {
    return {{.program = "on_vmx_exit", .runs = 10, .time_ns = 1000, .missed = 0}};
  }
  [[nodiscard]] std::string YieldsMissingBecause() const override {
    return vms_.counts_yields ? "" : "not here";
  }

 private:
  [[nodiscard]] VcpuCounts CountsOf(const FakeThread& thread) const {
    VcpuCounts counts = {};
    counts.start_boottime_ns = thread.start_ticks * kNsPerTick + 1;
    counts.tgid = static_cast<uint32_t>(thread.pid);
    counts.tid = static_cast<uint32_t>(thread.tid);
    counts.vcpu_id = thread.vcpu;
    counts.vcpu = thread.other_vcpu;
    counts.is_other = thread.other_vcpu == 0 ? 0 : 1;
    counts.ended = thread.ended ? 1 : 0;
    counts.has_run_delay = vms_.has_run_delay ? 1 : 0;
    counts.first = thread.first;
    counts.last = thread.last;
    counts.exits[vms_.pause_slot] = thread.pauses;
    counts.exits[kOtherExitSlot] = thread.others;
    counts.window_grows = thread.pauses;
    counts.yields[kYieldNotNeeded] = thread.pauses;
    counts.pause_times.total_ns = thread.pauses * kPauseNs;
    counts.pause_times.log2_ns[kPauseBucket] = thread.pauses;
    return counts;
  }

  FakeVms& vms_;
};

}  // namespace

VcpuKey FakeThread::key() const {
  return {.thread = thread_key(static_cast<uint32_t>(tid), start_ticks * kNsPerTick + 1),
          .vcpu = other_vcpu};
}

FakeVms::FakeVms(const fs::path& parent) : folder_(MakeFolder(parent)), root_(folder_) {
  pause_slot = MakeExitSlotTable(host::KvmModule::kIntel).pause_slot;
  fs::create_directories(folder_ / "proc");
  Write("/proc/1/stat", StatText(1, 0));
  Write("/proc/1/task/1/stat", StatText(1, 0));
  Write("/sys/module/kvm/parameters/halt_poll_ns", "200000\n");
  Write("/sys/module/kvm_intel/parameters/ple_gap", "128\n");
  Write("/sys/module/kvm_intel/parameters/ple_window", "4096\n");
  Write("/sys/module/kvm_intel/parameters/nested", "Y\n");
}

FakeVms::~FakeVms() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void FakeVms::Write(std::string_view path, std::string_view text) const {
  fs::create_directories(root_.Path(path).parent_path());
  std::ofstream(root_.Path(path)) << text;
}

void FakeVms::Remove(std::string_view path) const { fs::remove_all(root_.Path(path)); }

void FakeVms::Start(pid_t pid, std::string_view name, uint32_t vcpus, uint64_t start_ticks) {
  const std::string folder = fmt::format("/proc/{}/", pid);
  std::string command_line = "qemu-system-x86_64";
  command_line.push_back('\0');
  if (!name.empty()) {
    command_line += "-name";
    command_line.push_back('\0');
    command_line += fmt::format("guest={},debug-threads=on", name);
    command_line.push_back('\0');
  }
  Write(fmt::format("{}task/{}/stat", folder, pid), StatText(pid, start_ticks));
  Write(folder + "comm", "qemu-system-x86\n");
  Write(folder + "cmdline", command_line);
  for (uint32_t vcpu = 0; vcpu < vcpus; ++vcpu) {
    AddThread(pid, pid + 1 + static_cast<pid_t>(vcpu), vcpu, start_ticks + 1);
  }
}

FakeThread& FakeVms::AddThread(pid_t pid, pid_t tid, uint32_t vcpu, uint64_t start_ticks) {
  const FakeThread thread{.pid = pid, .tid = tid, .vcpu = vcpu, .start_ticks = start_ticks};
  Write(fmt::format("/proc/{}/task/{}/stat", pid, tid), StatText(tid, start_ticks));
  return threads[thread.key()] = thread;
}

void FakeVms::End(pid_t pid) { Remove(fmt::format("/proc/{}", pid)); }

void FakeVms::EndThread(pid_t tid, bool noticed) {
  FakeThread& thread = Thread(tid);
  Remove(fmt::format("/proc/{}/task/{}", thread.pid, tid));
  thread.ended = noticed;
}

FakeThread& FakeVms::Thread(pid_t tid) {
  for (auto& [key, thread] : threads) {
    if (thread.tid == tid) return thread;
  }
  throw std::runtime_error("no such thread");
}

std::unique_ptr<KernelCounts> FakeVms::Kernel() { return std::make_unique<FakeKernel>(*this); }

AttachProbes FakeVms::Attacher() {
  return [this](host::KvmModule) -> Result<std::unique_ptr<KernelCounts>> { return Kernel(); };
}

}  // namespace plectl::monitor
