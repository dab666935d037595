// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/tsc_frequency.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "host_tools/base/fd.h"

namespace plectl::host {
namespace {

// A software event that never fires: we only want its page.
Fd OpenDummyEvent() {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_DUMMY;
  attributes.exclude_kernel = 1;
  const long fd = ::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  return Fd(static_cast<int>(fd));
}

Count KhzFromPage(const perf_event_mmap_page& page) {
  if (page.cap_user_time == 0 || page.time_mult == 0 || page.time_shift > 32) {
    return Count::Missing("the kernel publishes no TSC conversion (unstable or paravirtual clock)");
  }
  return TscKhzFromConversion(page.time_mult, page.time_shift);
}

}  // namespace

Count TscKhz() {
  const Fd event = OpenDummyEvent();
  if (!event.valid()) {
    return Count::Missing(fmt::format("perf_event_open: {}", std::strerror(errno)));
  }
  const auto size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, event.get(), 0);
  if (page == MAP_FAILED) {
    return Count::Missing(fmt::format("mmap of a perf event: {}", std::strerror(errno)));
  }
  Count khz = KhzFromPage(*static_cast<const perf_event_mmap_page*>(page));
  ::munmap(page, size);
  return khz;
}

uint64_t TscKhzFromConversion(uint32_t multiplier, unsigned shift) {
  constexpr uint64_t kNsPerMs = 1'000'000;
  return ((kNsPerMs << shift) + multiplier / 2) / multiplier;
}

}  // namespace plectl::host
