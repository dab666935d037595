// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/bpf_probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "host_tools/host/bpf_support.h"
#include "host_tools/host/function_probes.h"
#include "host_tools/host/kernel_fixes.h"
#include "host_tools/host/kvm_btf.h"
#include "host_tools/host/preemption.h"
#include "host_tools/monitor/bpf/kvm_monitor.skel.h"
#include "host_tools/monitor/exit_slot_table.h"
#include "host_tools/monitor/vm_record.h"

namespace plectl::monitor {
namespace {

constexpr uint32_t kBatch = 256;
// Threads that run several vCPUs are rare: where memory is taken at once it is for so many.
constexpr uint32_t kOtherVcpusAtOnce = 256;
constexpr std::string_view kNeeds =
    "the monitor needs CAP_BPF and CAP_PERFMON (Linux 5.11 or later): run it by its "
    "unit (plectl docs plectl-monitor.service) or as root, or with --probes off";

Failure ProbeFailure(const HostRoot& root, std::string_view tried, int error_number,
                     const host::LibbpfLog& log) {
  const std::string locked = host::LockedDownBecause(root);
  if (!locked.empty()) {
    return Environment(fmt::format("{}: {}", tried, locked),
                       "boot with lockdown=integrity, or run the monitor with --probes off");
  }
  const std::string said = log.Text();
  return SystemFailure(said.empty() ? std::string(tried) : fmt::format("{} ({})", tried, said),
                       error_number, std::string(kNeeds));
}

void SetConstants(kvm_monitor& skeleton, const host::VcpuLayout& layout, const ExitSlotTable& slots,
                  bool exit_times) {
  auto& constants = *skeleton.rodata;
  constants.vcpu_id_offset = layout.vcpu_id_offset;
  constants.vmcb_offset = layout.exit_code.vmcb_offset;
  constants.exit_code_offset = layout.exit_code.exit_code_offset;
  constants.exit_vcpu_argument = layout.exit_vcpu_argument;
  constants.entry_vcpu_argument = layout.entry_vcpu_argument.value_or(0);
  std::ranges::copy(slots.slot_of_code, std::begin(constants.slot_of_code));
  constants.pause_slot = slots.pause_slot;
  constants.wants_exit_times = exit_times ? 1 : 0;
}

// A program that may fail to attach is attached by hand.
void ChoosePrograms(kvm_monitor& skeleton, host::KvmModule module, bool exit_times,
                    bool yields_by_fexit) {
  const auto& programs = skeleton.progs;
  const bool intel = module == host::KvmModule::kIntel;
  bpf_program__set_autoload(programs.on_vmx_exit, intel);
  bpf_program__set_autoload(programs.on_svm_exit, !intel);
  bpf_program__set_autoload(programs.on_entry, exit_times);
  bpf_program__set_autoload(programs.on_yield_fexit, yields_by_fexit);
  bpf_program__set_autoload(programs.on_yield_kretprobe, !yields_by_fexit);
  bpf_program__set_autoattach(programs.on_yield_fexit, false);
  bpf_program__set_autoattach(programs.on_yield_kretprobe, false);
}

std::vector<const bpf_program*> LoadedPrograms(const kvm_monitor& skeleton) {
  std::vector<const bpf_program*> loaded;
  const bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(skeleton.obj, const_cast<bpf_program*>(program))) !=
         nullptr) {
    if (bpf_program__fd(program) >= 0) loaded.push_back(program);
  }
  return loaded;
}

struct Settings {
  HostRoot root;
  host::KvmModule module;
  host::VcpuLayout layout;
  ProbeOptions options;
  bool yields_by_fexit = true;
  // Linux before 6.1 warns of memory that is taken while tracing, and then panics where it is told
  // to panic on warnings.
  bool memory_at_once = false;
};

void SizeMaps(kvm_monitor& skeleton, const Settings& settings) {
  for (bpf_map* map : {skeleton.maps.vcpus, skeleton.maps.other_vcpus}) {
    bpf_map__set_max_entries(map, settings.options.threads_max);
    if (settings.memory_at_once) bpf_map__set_map_flags(map, 0);
  }
  if (settings.memory_at_once) {
    bpf_map__set_max_entries(skeleton.maps.other_vcpus, kOtherVcpusAtOnce);
  }
}

Result<host::SkeletonPtr<kvm_monitor>> LoadWith(const Settings& settings) {
  const host::LibbpfLog log;
  host::SkeletonPtr<kvm_monitor> skeleton(kvm_monitor::open());
  if (skeleton == nullptr)
    return ProbeFailure(settings.root, "open the monitor's BPF programs", errno, log);
  SetConstants(*skeleton, settings.layout, MakeExitSlotTable(settings.module),
               settings.options.exit_times);
  ChoosePrograms(*skeleton, settings.module, settings.options.exit_times, settings.yields_by_fexit);
  SizeMaps(*skeleton, settings);
  if (const int error = kvm_monitor::load(skeleton.get()); error != 0) {
    return ProbeFailure(settings.root, "load the monitor's BPF programs", -error, log);
  }
  if (const int error = kvm_monitor::attach(skeleton.get()); error != 0) {
    return ProbeFailure(settings.root, "attach the monitor's BPF programs to KVM", -error, log);
  }
  return skeleton;
}

// How many returns a kretprobe misses; a trampoline's misses are told by all kernels.
bool CannotTellMisses(const HostRoot& root) { return host::IsKernelBefore(root, 6, 7); }

// Directed yields are worth having, but nothing else depends on them. Empty, or why not.
std::string AttachYields(kvm_monitor& skeleton, bool by_fexit) {
  const host::LibbpfLog log;
  bpf_link*& link = by_fexit ? skeleton.links.on_yield_fexit : skeleton.links.on_yield_kretprobe;
  link = bpf_program__attach(by_fexit ? skeleton.progs.on_yield_fexit
                                      : skeleton.progs.on_yield_kretprobe);
  if (link != nullptr) return {};
  return fmt::format("{}; that needs CAP_SYS_ADMIN at the start, or kernel.perf_event_paranoid < 3",
                     log.Text());
}

class BpfProbes final : public KernelCounts {
 public:
  BpfProbes(HostRoot root, host::SkeletonPtr<kvm_monitor> skeleton,
            std::string yields_missing_because);

  Status ForEachThread(const std::function<void(const VcpuCounts&)>& visit) override;
  std::optional<VcpuCounts> Find(const VcpuKey& key) override;
  void Forget(std::span<const VcpuKey> keys) override;
  Result<SlotTimes> ExitTimes() override;
  uint64_t LostExits() override;
  std::vector<ProbeCost> ProbeCosts() override;
  [[nodiscard]] std::string YieldsMissingBecause() const override;

 private:
  HostRoot root_;
  host::SkeletonPtr<kvm_monitor> skeleton_;
  std::string yields_missing_because_;
  Status ReadAll(int map, size_t key_bytes, const std::function<void(const VcpuCounts&)>& visit);

  std::vector<std::byte> batch_keys_;
  std::vector<VcpuCounts> batch_counts_;
};

BpfProbes::BpfProbes(HostRoot root, host::SkeletonPtr<kvm_monitor> skeleton,
                     std::string yields_missing_because)
    : root_(std::move(root)),
      skeleton_(std::move(skeleton)),
      yields_missing_because_(std::move(yields_missing_because)),
      batch_counts_(kBatch) {}

Status BpfProbes::ForEachThread(const std::function<void(const VcpuCounts&)>& visit) {
  PLECTL_RETURN_IF_ERROR(ReadAll(bpf_map__fd(skeleton_->maps.vcpus), sizeof(uint64_t), visit));
  return ReadAll(bpf_map__fd(skeleton_->maps.other_vcpus), sizeof(OtherVcpuKey), visit);
}

Status BpfProbes::ReadAll(int map, size_t key_bytes,
                          const std::function<void(const VcpuCounts&)>& visit) {
  batch_keys_.resize(batch_counts_.size() * key_bytes);
  uint32_t token = 0;
  void* in = nullptr;
  while (true) {
    auto count = static_cast<uint32_t>(batch_counts_.size());
    const int error = bpf_map_lookup_batch(map, in, &token, batch_keys_.data(),
                                           batch_counts_.data(), &count, nullptr);
    if (error == -ENOSPC) {  // a bucket of the hash with more than fit
      batch_counts_.resize(batch_counts_.size() * 2);
      batch_keys_.resize(batch_counts_.size() * key_bytes);
      continue;
    }
    if (error != 0 && error != -ENOENT) {
      return SystemFailure("read the counts of vCPUs from a BPF map", -error);
    }
    for (uint32_t i = 0; i < count; ++i) visit(batch_counts_[i]);
    if (error == -ENOENT) return OkStatus();  // that was all
    in = &token;
  }
}

std::optional<VcpuCounts> BpfProbes::Find(const VcpuKey& key) {
  VcpuCounts counts = {};
  const OtherVcpuKey other = {.thread = key.thread, .vcpu = key.vcpu};
  const int error = key.vcpu == 0
                        ? bpf_map__lookup_elem(skeleton_->maps.vcpus, &key.thread,
                                               sizeof key.thread, &counts, sizeof counts, 0)
                        : bpf_map__lookup_elem(skeleton_->maps.other_vcpus, &other, sizeof other,
                                               &counts, sizeof counts, 0);
  return error == 0 ? std::optional(counts) : std::nullopt;
}

void BpfProbes::Forget(std::span<const VcpuKey> keys) {
  for (const VcpuKey& key : keys) {
    const OtherVcpuKey other = {.thread = key.thread, .vcpu = key.vcpu};
    if (key.vcpu == 0) {
      bpf_map__delete_elem(skeleton_->maps.vcpus, &key.thread, sizeof key.thread, 0);
    } else {
      bpf_map__delete_elem(skeleton_->maps.other_vcpus, &other, sizeof other, 0);
    }
  }
}

std::string BpfProbes::YieldsMissingBecause() const {
  if (!yields_missing_because_.empty()) return yields_missing_because_;
  if (std::string off = host::FunctionProbesOffBecause(root_); !off.empty()) return off;
  const bpf_link* kretprobe = skeleton_->links.on_yield_kretprobe;
  if (kretprobe == nullptr) {
    const uint64_t skipped =
        host::RecursionMisses(skeleton_->progs.on_yield_fexit).value_or(uint64_t{0});
    if (skipped == 0) return {};
    return fmt::format("the kernel skipped their program {} times (recursion_misses)", skipped);
  }
  const auto missed = host::KretprobeMisses(bpf_link__fd(kretprobe));
  if (!missed) return "this kernel does not say how many returns a kretprobe misses (before 6.7)";
  return *missed == 0 ? "" : fmt::format("the kernel's kretprobe missed {} returns", *missed);
}

Result<SlotTimes> BpfProbes::ExitTimes() {
  std::vector<TimeHistogram> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  const size_t bytes = per_cpu.size() * sizeof(TimeHistogram);
  SlotTimes times = {};
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    if (bpf_map__lookup_elem(skeleton_->maps.exit_times, &slot, sizeof slot, per_cpu.data(), bytes,
                             0) != 0) {
      return SystemFailure("read the handling times of exits from a BPF map", errno);
    }
    for (const TimeHistogram& of_cpu : per_cpu) AddTo(times[slot], of_cpu);
  }
  return times;
}

uint64_t BpfProbes::LostExits() {
  std::vector<CpuCounts> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  const uint32_t zero = 0;
  uint64_t lost = 0;
  if (bpf_map__lookup_elem(skeleton_->maps.cpu_counts, &zero, sizeof zero, per_cpu.data(),
                           per_cpu.size() * sizeof(CpuCounts), 0) == 0) {
    for (const CpuCounts& of_cpu : per_cpu) lost += of_cpu.lost_exits;
  }
  return lost;
}

std::vector<ProbeCost> BpfProbes::ProbeCosts() {
  std::vector<ProbeCost> costs;
  for (const bpf_program* program : LoadedPrograms(*skeleton_)) {
    bpf_prog_info info = {};
    uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0) continue;
    costs.push_back({.program = bpf_program__name(program),
                     .runs = info.run_cnt,
                     .time_ns = info.run_time_ns,
                     .missed = info.recursion_misses});
  }
  return costs;
}

}  // namespace

Result<std::unique_ptr<KernelCounts>> AttachBpfProbes(const HostRoot& root, host::KvmModule module,
                                                      const ProbeOptions& options) {
  PLECTL_ASSIGN_OR_RETURN(const host::VcpuLayout layout, host::FindVcpuLayout(root, module));
  if (options.exit_times && !layout.entry_vcpu_argument) {
    return Environment("time exits: this kernel's tracepoint kvm_entry does not tell the vCPU",
                       "run the monitor with --exit-times off");
  }
  Settings settings{.root = root,
                    .module = module,
                    .layout = layout,
                    .options = options,
                    .yields_by_fexit = !host::MayPreemptItself(root) || CannotTellMisses(root),
                    .memory_at_once = host::IsKernelBefore(root, 6, 1)};
  auto skeleton = LoadWith(settings);
  if (!skeleton && settings.yields_by_fexit) {
    // Programs at functions of a module need its type information, and that CAP_SYS_ADMIN.
    settings.yields_by_fexit = false;
    skeleton = LoadWith(settings);
  }
  if (!skeleton) return Fail(std::move(skeleton).error());
  std::string missing = AttachYields(**skeleton, settings.yields_by_fexit);
  return std::make_unique<BpfProbes>(root, *std::move(skeleton), std::move(missing));
}

Result<Fd> EnableBpfStatistics() {
  Fd fd(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (fd.valid()) return fd;
  return SystemFailure("switch the run-time statistics of BPF programs on", errno,
                       "that needs CAP_SYS_ADMIN");
}

}  // namespace plectl::monitor
