/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <stdnoreturn.h>

#include "guest_workloads/abi/abi.h"
#include "guest_workloads/rt/random.h"

/* The runtime as the payloads see it. */

extern volatile struct plectl_boot_block boot_block;
extern struct plectl_result_block result_block;
extern struct plectl_wait_histogram wait_histograms[PLECTL_MAX_VCPUS];
extern const struct plectl_payload payload_table_start[], payload_table_end[];

/* The payload table of this ELF: defined once, by whoever links one. */
#define PAYLOAD_TABLE __attribute__((section(".payloads"), used, aligned(64)))

struct relax_shape;

/* One vCPU, as handed to a payload. */
struct vcpu {
  uint32_t id; /* from 0: its APIC ID less boot_block.first_vcpu */
  uint32_t vcpus;
  uint64_t iterations;          /* no limit (UINT64_MAX) when there is a duration */
  uint64_t duration_tsc_cycles; /* 0 when iterations are the limit */
  uint64_t hold_tsc_cycles;
  uint64_t think_tsc_cycles;
  uint32_t flags;                  /* PLECTL_BOOT_* */
  const struct relax_shape* relax; /* rt/relax.h; 0: as tightly as possible */
  struct random_source random;
  struct plectl_vcpu_result* result;
  struct plectl_wait_histogram* waits;
};

/* Ends this vCPU and tells the host why (PLECTL_ABORT_*). */
noreturn void abort_guest(uint32_t code);

/* Fills the IDT (once, on vCPU 0), and makes the calling vCPU use it. */
void interrupts_setup(void);
void interrupts_load(void);
/* Lets ring 3 raise `vector` by INT; it arrives at `handler` with interrupts off. */
void interrupts_let_user_raise(uint8_t vector, uint64_t handler);
/* Sends `vector` to a function, which calls lapic_end_interrupt(). */
void interrupts_handle(uint8_t vector, void (*handler)(void));

/* Starts all other vCPUs by INIT and start-up IPI; they come out in guest_main(). */
void start_other_vcpus(void);

/* The vCPU that calls, by the stack that it is on: costs no VM exit, in interrupt handlers too. */
uint32_t current_vcpu(void);
