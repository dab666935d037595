/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/rt/lapic.h"

#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/rt.h"
#include "guest_workloads/rt/segments.h"

/* SDM vol 3A, table 11-1: registers; 11.6.1: the interrupt command register, whose bits 19:18 = 3
 * are "all excluding self"; 11.5.4: the timer. */
#define LAPIC 0xfee00000
#define LAPIC_END_OF_INTERRUPT 0x0b0
#define LAPIC_SPURIOUS_VECTOR 0x0f0
#define LAPIC_ICR_LOW 0x300
#define LAPIC_TIMER_VECTOR 0x320
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE 0x3e0
#define SOFTWARE_ENABLE 0x100
#define TIMER_MASKED 0x10000
#define TIMER_DIVIDE_BY_1 0xb
#define ICR_INIT_ALL_OTHERS 0x000c4500
#define ICR_STARTUP_ALL_OTHERS 0x000c4600
#define ICR_FIXED_ALL_OTHERS 0x000c4000

#define RATE_TSC_CYCLES (1u << 20)

extern const uint8_t trampoline_start[], trampoline_end[];

static volatile uint32_t* lapic(uint64_t offset) { return (volatile uint32_t*)(LAPIC + offset); }

static void write_icr(uint32_t value) { *lapic(LAPIC_ICR_LOW) = value; }

static void copy_trampoline(void) {
  volatile uint8_t* to = (volatile uint8_t*)TRAMPOLINE_ADDRESS;
  const uint8_t* from = trampoline_start;

  while (from != trampoline_end) *to++ = *from++;
}

/*
 * No delays between the IPIs: KVM latches both and delivers INIT first. Nobody waits for the others
 * here either; the host's start barrier does.
 */
void start_other_vcpus(void) {
  copy_trampoline();
  write_icr(ICR_INIT_ALL_OTHERS);
  write_icr(ICR_STARTUP_ALL_OTHERS | (TRAMPOLINE_ADDRESS >> 12));
}

void lapic_enable(void) { *lapic(LAPIC_SPURIOUS_VECTOR) = SOFTWARE_ENABLE | 0xff; }

void lapic_end_interrupt(void) { *lapic(LAPIC_END_OF_INTERRUPT) = 0; }

void lapic_interrupt_others(uint8_t vector) { write_icr(ICR_FIXED_ALL_OTHERS | vector); }

uint64_t lapic_timer_rate(void) {
  uint64_t counts;

  *lapic(LAPIC_TIMER_DIVIDE) = TIMER_DIVIDE_BY_1;
  *lapic(LAPIC_TIMER_VECTOR) = TIMER_MASKED;
  *lapic(LAPIC_TIMER_INITIAL) = UINT32_MAX;
  busy_wait(RATE_TSC_CYCLES);
  counts = UINT32_MAX - *lapic(LAPIC_TIMER_CURRENT);
  *lapic(LAPIC_TIMER_INITIAL) = 0;
  return counts;
}

void lapic_timer_vector(uint8_t vector) { *lapic(LAPIC_TIMER_VECTOR) = vector; }

void lapic_timer_start(uint32_t counts) { *lapic(LAPIC_TIMER_INITIAL) = counts; }
