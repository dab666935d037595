/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/relax.h"
#include "guest_workloads/rt/rt.h"
#include "guest_workloads/rt/segments.h"

/* Aligned to a cache line each, so that the protected counter has one of its own. */
__attribute__((aligned(64))) struct plectl_result_block result_block = {
    .magic = PLECTL_RESULT_MAGIC,
    .version = PLECTL_ABI_VERSION,
    .size = sizeof(struct plectl_result_block),
};

/* In .data, not .bss: the host writes it before the guest starts. */
__attribute__((aligned(64), section(".data"))) volatile struct plectl_boot_block boot_block;

__attribute__((
    aligned(4096),
    section(".bss.histograms"))) struct plectl_wait_histogram wait_histograms[PLECTL_MAX_VCPUS];

noreturn void guest_main(uint32_t id);

noreturn void abort_guest(uint32_t code) {
  for (;;) out32(PLECTL_PORT, PLECTL_COMMAND_ABORT | (code << PLECTL_ABORT_SHIFT));
}

/* From guest.ld: all that is loaded, but for what each vCPU has of its own. */
extern const volatile uint8_t image_start[], image_end[];
extern const uint8_t stacks[];

#define PAGE_SIZE 4096

uint32_t current_vcpu(void) {
  const uint64_t here = (uint64_t)__builtin_frame_address(0);

  return (uint32_t)((here - (uint64_t)stacks) / STACK_SIZE);
}

/* The host has written every page, so a read maps it for good: no fault is left for the payload. */
static void touch_pages(const volatile uint8_t* begin, const volatile uint8_t* end) {
  for (const volatile uint8_t* page = begin; page != end; page += PAGE_SIZE) (void)*page;
}

static const struct plectl_payload* chosen_payload(void) {
  return &payload_table_start[boot_block.payload];
}

static int flags_make_sense(void) {
  const uint32_t flags = boot_block.flags;
  const uint32_t off = flags & PLECTL_BOOT_INTERRUPTS_OFF;

  if (flags & ~PLECTL_BOOT_FLAGS) return 0;
  if (off != 0 && !(chosen_payload()->flags & PLECTL_PAYLOAD_INTERRUPTS_OFF)) return 0;
  return off != PLECTL_BOOT_INTERRUPTS_OFF;
}

static int length_makes_sense(void) {
  return (boot_block.iterations == 0) != (boot_block.duration_tsc_cycles == 0);
}

static int relax_makes_sense(void) {
  const uint64_t cycles = boot_block.relax_tsc_cycles;
  const uint32_t repeat = boot_block.relax_repeat;

  if (repeat == 0 || repeat > PLECTL_RELAX_REPEAT_MAX) return 0;
  if (repeat > 1 && boot_block.body_loops != 0) return 0;
  if (repeat > 1 && !(chosen_payload()->flags & PLECTL_PAYLOAD_RELAX_REPEAT)) return 0;
  return cycles == 0 ||
         (cycles >= PLECTL_RELAX_TSC_CYCLES_MIN && cycles <= PLECTL_RELAX_TSC_CYCLES_MAX);
}

static void check_boot_block(void) {
  const uint64_t payloads = (uint64_t)(payload_table_end - payload_table_start);

  if (boot_block.magic != PLECTL_BOOT_MAGIC || boot_block.version != PLECTL_ABI_VERSION ||
      boot_block.size != sizeof(boot_block) || boot_block.payload >= payloads ||
      !flags_make_sense() || !length_makes_sense() || !relax_makes_sense())
    abort_guest(PLECTL_ABORT_BOOT_BLOCK);
}

static void boot_first_vcpu(void) {
  interrupts_setup();
  interrupts_load();
  check_boot_block();
  touch_pages(image_start, image_end);
  relax_setup();
  if (boot_block.vcpus > 1) start_other_vcpus();
}

static struct vcpu describe_vcpu(uint32_t id) {
  return (struct vcpu){
      .id = id,
      .vcpus = boot_block.vcpus,
      .iterations = boot_block.iterations != 0 ? boot_block.iterations : UINT64_MAX,
      .duration_tsc_cycles = boot_block.duration_tsc_cycles,
      .hold_tsc_cycles = boot_block.hold_tsc_cycles,
      .think_tsc_cycles = boot_block.think_tsc_cycles,
      .flags = boot_block.flags,
      .relax = relax_shape(),
      .random = random_start(boot_block.random_seed, boot_block.first_vcpu + id),
      .result = &result_block.vcpus[id],
      .waits = &wait_histograms[id],
  };
}

/* A spinner holds no lock; all it does is what others do before they have one. */
static int spins_with_interrupts_off(const struct plectl_payload* payload) {
  return (payload->flags & PLECTL_PAYLOAD_SPINNER) &&
         (boot_block.flags & PLECTL_BOOT_INTERRUPTS_OFF_LOCKING);
}

static void run_payload(struct vcpu* vcpu) {
  const struct plectl_payload* payload = chosen_payload();
  const int interrupts_off = spins_with_interrupts_off(payload);

  touch_pages((const uint8_t*)vcpu->waits, (const uint8_t*)(vcpu->waits + 1));
  if (payload->prepare) payload->prepare(vcpu);
  out32(PLECTL_PORT, PLECTL_COMMAND_SYNC);
  vcpu->result->state = PLECTL_VCPU_RUNNING;
  if (interrupts_off) disable_interrupts();
  vcpu->result->tsc_start = rdtsc();
  payload->run(vcpu);
  vcpu->result->tsc_end = rdtsc();
  enable_interrupts();
  if (payload->finish) payload->finish(vcpu);
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
