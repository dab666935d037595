// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace plectl::analysis {

// How wide the hardware's window is: VMX PLE_Window has 32 bits, the SVM pause filter count 16.
enum class WindowWidth { k32Bits, k16Bits };

// How the kernel changes a vCPU's window: ple_window, ple_window_grow, _shrink and _max of
// kvm_intel (TSC cycles), or the pause_filter_count* of kvm_amd (PAUSEs).
struct WindowRule {
  uint32_t base = 4096;
  uint32_t grow = 2;
  uint32_t shrink = 0;
  uint32_t max = UINT32_MAX;
  WindowWidth width = WindowWidth::k32Bits;
};

// The window after a PAUSE exit, bit for bit as __grow_ple_window() (Linux arch/x86/kvm/x86.h)
// computes and kvm_intel or kvm_amd stores it: grow 0 gives the base; below the base it is a
// factor, otherwise it is added; `max` bounds it, but not for grow 0.
uint32_t GrowWindow(uint32_t window, const WindowRule& rule);

// The window after the vCPU was scheduled out, as __shrink_ple_window() computes it: shrink 0 gives
// the base; below the base it is a divisor, otherwise it is subtracted, in unsigned arithmetic that
// can wrap below zero; never less than the base before it is stored.
uint32_t ShrinkWindow(uint32_t window, const WindowRule& rule);

// How often the window changes (kvm:kvm_ple_window_update fires only on a change) while a spinner
// that is never scheduled out takes `pause_exits` exits, its window at the base when it starts.
uint64_t PredictWindowUpdates(uint64_t pause_exits, const WindowRule& rule);

// A loop of PAUSEs at a fixed distance, on a vCPU that is never interrupted.
struct SpinLoop {
  uint64_t pauses = 0;
  uint64_t interval_tsc_cycles = 1;  // from one PAUSE to the next, at least 1
};

// PLE with a fixed window (grow 0).
struct FixedWindow {
  uint64_t gap_tsc_cycles = 0;  // 0: PLE is off
  uint64_t window_tsc_cycles = 0;
};

// The PAUSE exits of a loop by Intel's rule (SDM volume 3C section 24.6.13): none when the interval
// is above the gap, since each PAUSE then starts a new loop; otherwise every
// floor(window / interval) + 2 PAUSEs one, the first of a loop never. Nothing when the interval
// is 0.
std::optional<uint64_t> PredictPauseExits(const SpinLoop& loop, const FixedWindow& ple);

}  // namespace plectl::analysis
