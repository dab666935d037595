/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/rt.h"
#include "guest_workloads/rt/segments.h"

#define VECTORS 256
#define STUB_SIZE 16
#define GATE_INTERRUPT_PRESENT 0x8e
#define GATE_FOR_RING_3 0x60

/* SDM vol 3A, 6.14.1: 64-bit IDT gate descriptor. */
struct gate {
  uint16_t offset_0_15;
  uint16_t selector;
  uint8_t stack_table;
  uint8_t type;
  uint16_t offset_16_31;
  uint32_t offset_32_63;
  uint32_t reserved;
};

struct __attribute__((packed)) idt_pointer {
  uint16_t limit;
  uint64_t base;
};

extern const uint8_t interrupt_stubs[VECTORS][STUB_SIZE];
noreturn void report_fault(uint64_t vector, uint64_t error_code, uint64_t rip);

static struct gate idt[VECTORS];
void (*interrupt_handlers[VECTORS])(void); /* for interrupt_stubs.S */

static void set_gate(struct gate* gate, uint64_t address) {
  gate->offset_0_15 = (uint16_t)address;
  gate->selector = SEGMENT_CODE64;
  gate->stack_table = 0;
  gate->type = GATE_INTERRUPT_PRESENT;
  gate->offset_16_31 = (uint16_t)(address >> 16);
  gate->offset_32_63 = (uint32_t)(address >> 32);
}

/* Both 8259s are masked: no device interrupt can disturb a measurement. */
static void mask_legacy_interrupts(void) {
  out8(0x21, 0xff);
  out8(0xa1, 0xff);
}

void interrupts_setup(void) {
  mask_legacy_interrupts();
  for (unsigned int vector = 0; vector < VECTORS; vector++)
    set_gate(&idt[vector], (uint64_t)interrupt_stubs[vector]);
}

void interrupts_let_user_raise(uint8_t vector, uint64_t handler) {
  set_gate(&idt[vector], handler);
  idt[vector].type |= GATE_FOR_RING_3;
}

void interrupts_handle(uint8_t vector, void (*handler)(void)) {
  interrupt_handlers[vector] = handler;
}

void interrupts_load(void) {
  const struct idt_pointer pointer = {.limit = sizeof(idt) - 1, .base = (uint64_t)idt};

  __asm__ volatile("lidt %0" : : "m"(pointer));
}

noreturn void report_fault(uint64_t vector, uint64_t error_code, uint64_t rip) {
  struct plectl_vcpu_result* result = &result_block.vcpus[cpu_id() - boot_block.first_vcpu];

  result->fault_vector = (uint32_t)vector;
  result->fault_error_code = error_code;
  result->fault_rip = rip;
  abort_guest(PLECTL_ABORT_EXCEPTION);
}
