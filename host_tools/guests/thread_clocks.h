// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/base/fd.h"

namespace plectl::guests {

// What the kernel knows of a thread that getrusage() does not say.
struct ThreadClocks {
  Count guest_ns = Count::Missing("not read");      // in the guest, to the tick (10 ms)
  Count run_delay_ns = Count::Missing("not read");  // ready to run, waiting for a CPU
};
// Of two readings of one account; missing when one is, or when it went backwards.
Count Difference(const Count& end, const Count& begin);
ThreadClocks operator-(const ThreadClocks& end, const ThreadClocks& begin);

// From the text of /proc/PID/task/TID/stat and /proc/PID/task/TID/schedstat. Pure functions.
Count GuestNsOf(std::string_view stat, long ticks_per_s);
Count RunDelayNsOf(std::string_view schedstat);

// A guest time that a vCPU thread which ran for `cpu_ns` can have: none at all in 50 ms or more
// (a dozen ticks) is missing. So it is where each tick's interrupt is served after the kernel took
// the guest for left, as on the emulated AMD CPU (vcpu_enter_guest(), arch/x86/kvm/x86.c).
Count CredibleGuestNs(const Count& guest_ns, uint64_t cpu_ns);

// The run delay of the thread that opens it, which reads it later in one system call.
class OwnRunDelay {
 public:
  OwnRunDelay();
  [[nodiscard]] Count Read() const;

 private:
  Fd file_;
};

// Of `active_ns` what a vCPU's thread neither ran nor waited for a CPU (`run_delay_ns`) nor slept
// since its vCPU had nothing to do (`slept_ns`): it was stopped, frozen, traced or robbed of its
// CPU. Of times that are missing, the first.
Count StoppedNs(int64_t active_ns, int64_t cpu_ns, const Count& run_delay_ns,
                const Count& slept_ns);

// Of threads of this process, read by the caller while they are parked: it costs them nothing.
std::vector<ThreadClocks> ReadThreadClocks(std::span<const pid_t> tids);

}  // namespace plectl::guests
