/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <stdnoreturn.h>

#include "guest_workloads/abi/abi.h"

/* The runtime as the payloads see it. */

extern volatile struct plectl_boot_block boot_block;
extern struct plectl_result_block result_block;
extern const struct plectl_payload payload_table_start[], payload_table_end[];

/* The payload table of this ELF: defined once, by whoever links one. */
#define PAYLOAD_TABLE __attribute__((section(".payloads"), used, aligned(64)))

struct relax_shape;

/* One vCPU, as handed to a payload. */
struct vcpu {
  uint32_t id;
  uint32_t vcpus;
  uint64_t iterations;
  uint64_t hold_tsc_cycles;
  uint64_t think_tsc_cycles;
  uint32_t flags;                  /* PLECTL_BOOT_* */
  const struct relax_shape* relax; /* rt/relax.h; 0: as tightly as possible */
  struct plectl_vcpu_result* result;
};

/* Ends this vCPU and tells the host why (PLECTL_ABORT_*). */
noreturn void abort_guest(uint32_t code);

/* Fills the IDT (once, on vCPU 0), and makes the calling vCPU use it. */
void interrupts_setup(void);
void interrupts_load(void);
/* Lets ring 3 raise `vector` by INT; it arrives at `handler` with interrupts off. */
void interrupts_let_user_raise(uint8_t vector, uint64_t handler);

/* Starts all other vCPUs by INIT and start-up IPI; they come out in guest_main(). */
void start_other_vcpus(void);
