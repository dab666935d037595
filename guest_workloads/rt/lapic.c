/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "guest_workloads/rt/rt.h"
#include "guest_workloads/rt/segments.h"

/* SDM vol 3A, 11.6.1: interrupt command register; bits 19:18 = 3 is "all excluding self". */
#define LAPIC_ICR_LOW 0xfee00300
#define ICR_INIT_ALL_OTHERS 0x000c4500
#define ICR_STARTUP_ALL_OTHERS 0x000c4600

extern const uint8_t trampoline_start[], trampoline_end[];

static void write_icr(uint32_t value) { *(volatile uint32_t*)LAPIC_ICR_LOW = value; }

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
