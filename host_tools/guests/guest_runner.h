// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/base/result.h"
#include "host_tools/guests/wait_histogram.h"

namespace plectl::guests {

// The arm: which instruction stands at every relax site of the payload.
enum class RelaxInstruction { kPause, kNop };

enum class VcpuScheduling {
  kOther,  // SCHED_OTHER, as VMs run in practice
  kFifo,   // SCHED_FIFO priority 1: never scheduled out for a normal task; yield_to() ignores it
};

// When a vCPU runs with RFLAGS.IF = 0, so that its own interrupts wait.
enum class InterruptsOff {
  kNever,
  kHolding,  // from just after acquisition to just after release
  kLocking,  // from before the first try to just after release; a spinner: while it is measured
};

// Of times in the guest: all the same, or random ones of that mean.
enum class Distribution { kFixed, kExponential };

// What the guest shall do and on which CPUs. All TSC cycles are the guest's.
struct Workload {
  std::string payload;            // "ttas", "barrier", "pause_storm", ... (docs/guest.md)
  uint32_t vms = 1;               // equal guests at once, let go together; vms * vcpus <= 64
  uint32_t vcpus = 2;             // of each VM, 1..64; at least 2 for payloads that need contention
  std::vector<int> cpus;          // host CPUs; never empty. vCPU i runs on cpus[i % size]
  uint64_t hold_tsc_cycles = 0;   // inside the critical section
  uint64_t think_tsc_cycles = 0;  // between release and next attempt
  // Per vCPU: acquisitions (of spinners: relax instructions), or 0 and how long it goes on.
  uint64_t iterations = 1;
  uint64_t duration_tsc_cycles = 0;
  uint64_t body_loops = 0;  // extra turns of an empty loop between two relax instructions
  VcpuScheduling scheduling = VcpuScheduling::kOther;
  InterruptsOff interrupts_off = InterruptsOff::kNever;
  Distribution hold_distribution = Distribution::kFixed;
  Distribution think_distribution = Distribution::kFixed;
  uint64_t random_seed = 1;   // decides, with the vCPU's number, all that is random in the guest
  uint32_t relax_repeat = 1;  // relax instructions in a row per turn of a wait loop
  friend bool operator==(const Workload&, const Workload&) = default;
};

// When the guest starts (start_phase.h).
struct StartPhase {
  std::chrono::nanoseconds wait{0};             // of all, at the barrier: the observer's to keep
  std::vector<std::chrono::nanoseconds> spins;  // of each vCPU's thread once it is released
};

struct GuestRequest {
  Workload workload;
  RelaxInstruction relax = RelaxInstruction::kPause;
  // Takes PAUSE exits from the VMs whatever the module's parameters are: KVM_CAP_X86_DISABLE_EXITS.
  bool pause_exits_disabled = false;
  // What a relax instruction shall cost where every instruction is one TSC cycle, as in the lab: 0
  // (no padding) or 4 to 1027. On silicon it would be padding that means nothing.
  uint64_t relax_tsc_cycles = 0;
  StartPhase phase;
  std::chrono::milliseconds deadline{10'000};  // from start barrier to the last vCPU's end
};

// vCPUs are numbered over all VMs of a trial: VM k has k * vcpus and those that follow. KVM knows
// them, and the guest its APIC IDs, by these numbers.
constexpr uint32_t VcpusOfAllVms(const Workload& workload) { return workload.vms * workload.vcpus; }

// How much KVM's own statistics grew, by their names.
struct StatisticGrowths {
  std::map<std::string, uint64_t> values;  // those that did not grow too
  std::string missing_because;             // not empty: there are none
};

// What one vCPU reports. Fields that a payload does not measure stay 0 and are left out of its
// record (docs/run_format.md says which payload measures what).
struct VcpuResult {
  uint32_t vm = 0;  // which of the trial's VMs
  uint64_t acquisitions = 0;
  uint64_t spins = 0;      // executed relax sites
  uint64_t contended = 0;  // acquisitions that had to wait
  uint64_t tsc_start = 0;
  uint64_t tsc_end = 0;
  uint64_t wait_tsc_cycles_total = 0;
  uint64_t wait_tsc_cycles_max = 0;
  WaitHistogram wait_histogram;
  std::map<std::string, uint64_t> extra;  // payload-specific, e.g. "pause_interval_tsc_cycles"
  // From the host's side:
  Count kvm_exits = Count::Missing("not read");  // KVM's own statistic, start barrier to end
  uint64_t involuntary_switches = 0;             // of the thread between barrier and end
  uint64_t voluntary_switches = 0;
  int64_t user_ns = 0;
  int64_t system_ns = 0;
  Count guest_ns = Count::Missing("not read");      // of user_ns, in the guest; to the tick (10 ms)
  Count run_delay_ns = Count::Missing("not read");  // its thread was ready and waited for a CPU
  StatisticGrowths kvm_stats{{}, "not read"};       // KVM's own, start barrier to end
  // Of its thread, from when it left the barrier to its end. Not in its record.
  int64_t active_ns = 0;
  Count slept_ns = Count::Missing("not read");    // the vCPU had nothing to do
  Count stopped_ns = Count::Missing("not read");  // something else kept it (thread_clocks.h)
};

// Of the waits of all vCPUs, in TSC cycles; all but `max` at most 6.25 % too high (WaitQuantile).
struct WaitSummary {
  uint64_t p50 = 0;
  uint64_t p99 = 0;
  uint64_t p99_9 = 0;
  uint64_t max = 0;
  friend bool operator==(const WaitSummary&, const WaitSummary&) = default;
};

// How much the vCPUs of a payload that needs contention had to do with each other.
struct Contention {
  double overlap = 0;         // share of the time with two or more vCPUs between start and end
  uint64_t contended = 0;     // acquisitions that had to wait
  uint64_t acquisitions = 0;  // all
  [[nodiscard]] double contended_share() const {
    return acquisitions == 0 ? 0
                             : static_cast<double>(contended) / static_cast<double>(acquisitions);
  }
};

// Of the vCPUs of one VM, or of all of a trial's.
struct VmResult {
  uint64_t elapsed_tsc_cycles = 0;      // first vCPU's start to last vCPU's end, guest TSC
  double throughput_per_s = 0;          // acquisitions (of spinners: relax instructions) per second
  std::optional<double> fairness_jain;  // vm_summary.h; not of spinners
  std::optional<WaitSummary> waits;     // not of spinners
  std::optional<Contention> contention;             // of payloads that need it
  StatisticGrowths kvm_stats{{}, "not of one VM"};  // KVM's own of the VM, start barrier to end
};

struct GuestResult {
  std::vector<VcpuResult> vcpus;  // of all VMs, by number
  uint64_t tsc_khz = 0;
  VmResult all;                       // of all VMs together
  std::vector<VmResult> vms;          // of each
  std::string not_contended_because;  // not empty: its payload needs contention, and had none
  int64_t setup_ns = 0;               // VM creation to start barrier
  int64_t run_ns = 0;                 // start barrier to the last vCPU's end
  int64_t teardown_ns = 0;
};

// What the caller does while every vCPU thread is parked in user space.
class GuestObserver {
 public:
  virtual ~GuestObserver() = default;
  // All vCPUs wait at the start barrier; the guest's measured part has not begun.
  virtual Status OnReady(pid_t tgid, std::span<const pid_t> vcpu_tids) = 0;
  // All vCPUs have finished (or were stopped); their threads still exist.
  virtual Status OnFinished() = 0;
  // Whether each vCPU shall be entered once more then. Some tracers see an exit only at the entry
  // that follows it, and the guest's last exit has none.
  [[nodiscard]] virtual bool wants_closing_entry() const { return false; }
  // After OnFinished(), and after the closing entry if there was one; `extra_exits` are those
  // beyond the one per vCPU that ends it, as when an interrupt came into it.
  virtual Status OnClosed(const Count& /*extra_exits*/) { return OkStatus(); }
};

// Runs one fresh guest per call. BadInput for a bad payload or workload, Environment when KVM is
// not there, Inconclusive when the guest misbehaves or misses its deadline; the message then names
// the vCPU, the exit reason and RIP. A requested stop (base/stop.h) ends the guest at once.
class GuestRunner {
 public:
  virtual ~GuestRunner() = default;
  virtual Result<GuestResult> Run(const GuestRequest& request, GuestObserver& observer) = 0;
};

}  // namespace plectl::guests
