/* SPDX-License-Identifier: Apache-2.0 */
/* Guests that misbehave, one way each; the VMM must name what happened and survive. */
#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/rt.h"
#include "guest_workloads/rt/user_mode.h"
#include "tests/payloads/broken_locks.h"

#define WILD_PORT 0x1234
#define WILD_ADDRESS 0xd0000000 /* mapped by the page tables, backed by no memory */

static void hang(struct vcpu* vcpu) {
  (void)vcpu;
  for (;;) __asm__ volatile("");
}

static void run_nothing(struct vcpu* vcpu) { vcpu->result->acquisitions = vcpu->iterations; }

/* An exception without a usable IDT is a triple fault. */
static void triple_fault(struct vcpu* vcpu) {
  static const struct {
    uint16_t limit;
    uint64_t base;
  } __attribute__((packed)) no_idt;

  (void)vcpu;
  __asm__ volatile("lidt %0; ud2" : : "m"(no_idt));
}

static void invalid_opcode(struct vcpu* vcpu) {
  (void)vcpu;
  __asm__ volatile("ud2");
}

static void wild_port(struct vcpu* vcpu) {
  (void)vcpu;
  out8(WILD_PORT, 0x5a);
}

static void wild_command(struct vcpu* vcpu) {
  (void)vcpu;
  out32(PLECTL_PORT, 0x77);
}

static void wild_mmio(struct vcpu* vcpu) {
  (void)vcpu;
  *(volatile uint32_t*)WILD_ADDRESS = 1;
}

static void enter_ring_3(struct vcpu* vcpu) { user_mode_setup(vcpu->id); }

USER_CODE static void execute_nothing_valid(uint64_t first, uint64_t second, uint64_t third) {
  (void)first, (void)second, (void)third;
  __asm__ volatile("ud2");
}

USER_CODE static void write_to(uint64_t address, uint64_t second, uint64_t third) {
  (void)second, (void)third;
  *(volatile uint8_t*)address = 1;
}

USER_CODE static void write_to_port(uint64_t port, uint64_t second, uint64_t third) {
  (void)second, (void)third;
  out32((uint16_t)port, PLECTL_COMMAND_DONE);
}

static void user_invalid_opcode(struct vcpu* vcpu) {
  user_mode_call(vcpu->id, execute_nothing_valid, 0, 0, 0);
}

static void user_writes_to_kernel(struct vcpu* vcpu) {
  user_mode_call(vcpu->id, write_to, (uint64_t)&result_block, 0, 0);
}

static void user_writes_to_its_code(struct vcpu* vcpu) {
  user_mode_call(vcpu->id, write_to, (uint64_t)write_to, 0, 0);
}

static void user_says_done(struct vcpu* vcpu) {
  user_mode_call(vcpu->id, write_to_port, PLECTL_PORT, 0, 0);
}

/* Never wakes: the deadline must end it. */
static void halt(struct vcpu* vcpu) {
  (void)vcpu;
  __asm__ volatile("cli; hlt");
}

static void garbage_result(struct vcpu* vcpu) {
  uint8_t* bytes = (uint8_t*)&result_block;

  (void)vcpu;
  for (uint64_t i = 0; i < sizeof(result_block); i++) bytes[i] = (uint8_t)(i * 37 + 11);
}

/* The lock that is none: one vCPU's count goes missing. */
static void lost_count(struct vcpu* vcpu) {
  vcpu->result->acquisitions = vcpu->iterations;
  result_block.protected_counter = vcpu->iterations;
}

/* Waits that nobody had. */
static void wild_histogram(struct vcpu* vcpu) {
  vcpu->result->acquisitions = vcpu->iterations;
  for (uint64_t i = 0; i < PLECTL_WAIT_BUCKETS; i++) vcpu->waits->counts[i] = UINT64_MAX - i;
}

static const struct plectl_payload payload_table[] PAYLOAD_TABLE = {
    {.name = "hostile_hang", .min_vcpus = 1, .run = hang},
    {.name = "hostile_hang_before_sync", .min_vcpus = 1, .prepare = hang, .run = run_nothing},
    {.name = "hostile_triple_fault", .min_vcpus = 1, .run = triple_fault},
    {.name = "hostile_exception", .min_vcpus = 1, .run = invalid_opcode},
    {.name = "hostile_wild_port", .min_vcpus = 1, .run = wild_port},
    {.name = "hostile_wild_command", .min_vcpus = 1, .run = wild_command},
    {.name = "hostile_wild_mmio", .min_vcpus = 1, .run = wild_mmio},
    {.name = "hostile_halt", .min_vcpus = 1, .run = halt},
    {.name = "hostile_garbage_result", .min_vcpus = 1, .run = garbage_result},
    {.name = "hostile_lost_count", .min_vcpus = 2, .flags = PLECTL_PAYLOAD_LOCK, .run = lost_count},
    {.name = "hostile_user_exception",
     .min_vcpus = 1,
     .prepare = enter_ring_3,
     .run = user_invalid_opcode},
    {.name = "hostile_user_to_kernel",
     .min_vcpus = 1,
     .prepare = enter_ring_3,
     .run = user_writes_to_kernel},
    {.name = "hostile_user_to_code",
     .min_vcpus = 1,
     .prepare = enter_ring_3,
     .run = user_writes_to_its_code},
    {.name = "hostile_user_port", .min_vcpus = 1, .prepare = enter_ring_3, .run = user_says_done},
    {.name = "hostile_wild_histogram",
     .min_vcpus = 1,
     .flags = PLECTL_PAYLOAD_ROUNDS,
     .run = wild_histogram},
    {.name = "broken_check_then_set",
     .min_vcpus = 2,
     .flags = PLECTL_PAYLOAD_LOCK | PLECTL_PAYLOAD_HOLDS,
     .run = check_then_set_run},
    {.name = "broken_early_release",
     .min_vcpus = 2,
     .flags = PLECTL_PAYLOAD_LOCK | PLECTL_PAYLOAD_HOLDS,
     .run = early_release_run},
    {.name = "hostile_nothing", .min_vcpus = 1, .run = run_nothing},
};
