// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "host_tools/base/host_root.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// An upstream version: 6.1.192 or 6.19-rc1.
struct KernelVersion {
  int major = 0;
  int minor = 0;
  int patch = 0;
};

// The upstream version that a kernel is built from, when it can be told: `release` is a bare
// upstream one ("6.18.3", "6.19.0-rc1"), or `build` is Debian's, which names it ("Debian
// 6.1.192-2"). Nothing for other vendors' kernels: they take changes back from later versions.
// `release` and `build` as uname -r and uname -v, or /proc/sys/kernel/{osrelease,version}.
std::optional<KernelVersion> UpstreamVersion(std::string_view release, std::string_view build);

// By the first two numbers of its release, which vendors keep too. A release that has none is taken
// for an old one.
bool IsKernelBefore(const HostRoot& root, int major, int minor);

// "yes": has the fix; "no": lacks it; "not_affected": from before the bug; "unknown": a vendor
// kernel, or a stable release that may have the backport.

// 32bd348be3fa "KVM: Fix last_boosted_vcpu index assignment bug", in 6.19-rc1 and marked for
// stable. The bug came with 7e513617da71 (2024-10-30, for 6.13): until then kvm_vcpu_on_spin() was
// right.
std::string_view HasLastBoostedVcpuFix(const std::optional<KernelVersion>& version);

// 79104becf42b "sched/fair: Forfeit vruntime on yield", in 6.19-rc1: changes what a directed yield
// does. It builds on EEVDF (6.6), so nothing older can have it. Backported to 6.6.120, 6.12.63 and
// 6.17.13. Where the kernel can be asked, yield_probe.h knows better.
std::string_view HasForfeitVruntimeOnYield(const std::optional<KernelVersion>& version);

// 8b703a49c9df "KVM: x86: Account fastpath-only VM-Exits in vCPU stats", in 6.4, 6.1.34 and
// 5.15.117: without it KVM's statistic `exits` lacks those that it handles without leaving its
// innermost loop.
std::string_view CountsFastPathExits(const std::optional<KernelVersion>& version);

// Whether KVM's statistic may lack exits on this host: only VMX with APICv has such loops. Yes also
// of a vendor's kernel, of which nobody knows.
bool KvmLacksFastPathExits(const HostRoot& root, KvmModule module);

}  // namespace plectl::host
