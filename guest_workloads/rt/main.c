/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/rt.h"

/* Aligned to a cache line each, so that the protected counter has one of its own. */
__attribute__((aligned(64))) struct plectl_result_block result_block = {
    .magic = PLECTL_RESULT_MAGIC,
    .version = PLECTL_ABI_VERSION,
    .size = sizeof(struct plectl_result_block),
};

/* In .data, not .bss: the host writes it before the guest starts. */
__attribute__((aligned(64), section(".data"))) volatile struct plectl_boot_block boot_block;

noreturn void guest_main(uint32_t id);

noreturn void abort_guest(uint32_t code) {
  for (;;) out32(PLECTL_PORT, PLECTL_COMMAND_ABORT | (code << PLECTL_ABORT_SHIFT));
}

static void check_boot_block(void) {
  const uint64_t payloads = (uint64_t)(payload_table_end - payload_table_start);

  if (boot_block.magic != PLECTL_BOOT_MAGIC || boot_block.version != PLECTL_ABI_VERSION ||
      boot_block.size != sizeof(boot_block) || boot_block.flags != 0 ||
      boot_block.payload >= payloads)
    abort_guest(PLECTL_ABORT_BOOT_BLOCK);
}

static void boot_first_vcpu(void) {
  interrupts_setup();
  interrupts_load();
  check_boot_block();
  if (boot_block.vcpus > 1) start_other_vcpus();
}

static struct vcpu describe_vcpu(uint32_t id) {
  return (struct vcpu){
      .id = id,
      .vcpus = boot_block.vcpus,
      .iterations = boot_block.iterations,
      .hold_tsc_cycles = boot_block.hold_tsc_cycles,
      .think_tsc_cycles = boot_block.think_tsc_cycles,
      .body_loops = boot_block.body_loops,
      .result = &result_block.vcpus[id],
  };
}

static void run_payload(struct vcpu* vcpu) {
  const struct plectl_payload* payload = &payload_table_start[boot_block.payload];

  if (payload->prepare) payload->prepare(vcpu);
  out32(PLECTL_PORT, PLECTL_COMMAND_SYNC);
  vcpu->result->state = PLECTL_VCPU_RUNNING;
  vcpu->result->tsc_start = rdtsc();
  payload->run(vcpu);
  vcpu->result->tsc_end = rdtsc();
  vcpu->result->state = PLECTL_VCPU_DONE;
  out32(PLECTL_PORT, PLECTL_COMMAND_DONE);
}

/* Where every vCPU arrives in long mode on its own stack, interrupts off. */
noreturn void guest_main(uint32_t id) {
  struct vcpu vcpu;

  if (id == 0)
    boot_first_vcpu();
  else
    interrupts_load();
  if (id >= boot_block.vcpus) abort_guest(PLECTL_ABORT_APIC_ID);
  /* From here on, since a host interrupt must always be able to end a spin. */
  enable_interrupts();
  vcpu = describe_vcpu(id);
  run_payload(&vcpu);
  abort_guest(PLECTL_ABORT_CONTINUED);
}
