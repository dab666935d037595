/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* The few instructions that C has no words for. */

#ifdef PLECTL_TEST_CLOCK
uint64_t rdtsc(void); /* the test's own, of cores of any frequency */
#else
static inline uint64_t rdtsc(void) { return __builtin_ia32_rdtsc(); }
#endif

/* Not before all that precedes it is done, and before all that follows (SDM volume 2, RDTSC). */
static inline uint64_t rdtsc_ordered(void) {
  uint64_t now;

  __asm__ volatile("lfence" : : : "memory");
  now = rdtsc();
  __asm__ volatile("lfence" : : : "memory");
  return now;
}

static inline void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

/* The calling vCPU's initial APIC ID. A VM exit, never skipped nor moved. */
static inline uint32_t cpu_id(void) {
  uint32_t eax = 1, ebx, ecx = 0, edx;

  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return ebx >> 24;
}

static inline void enable_interrupts(void) { __asm__ volatile("sti" : : : "memory"); }

static inline void disable_interrupts(void) { __asm__ volatile("cli" : : : "memory"); }

/* Interrupts off before and after; STI lets none in before the HLT, so a wake-up cannot be lost. */
static inline void halt_until_interrupt(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }

/* Returns after `cycles` of the TSC, busy, without any relax instruction. */
static inline void busy_wait(uint64_t cycles) {
  uint64_t start;

  if (cycles == 0) return;
  start = rdtsc();
  while (rdtsc() - start < cycles)
    ;
}
