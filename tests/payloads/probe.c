/* SPDX-License-Identifier: Apache-2.0 */
/* What a payload of each kind finds the CPU to be like while it runs. */
#include "guest_workloads/payloads/lock_workload.h"
#include "guest_workloads/rt/rt.h"
#include "guest_workloads/rt/user_mode.h"

#define RFLAGS_IF_BIT 9

enum probe_extra { ON_IN_ACQUIRE, ON_IN_RELEASE, ON_AFTER, PRIVILEGE_LEVEL };

#define EXTRA_NAMES                                                                                \
  {                                                                                                \
    [ON_IN_ACQUIRE] = "on_in_acquire", [ON_IN_RELEASE] = "on_in_release", [ON_AFTER] = "on_after", \
    [PRIVILEGE_LEVEL] = "privilege_level"                                                          \
  }

/* Always inlined, since ring 3 may call no function of the kernel's pages. */
static inline __attribute__((always_inline)) uint64_t interrupts_on(void) {
  uint64_t flags;

  __asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
  return flags >> RFLAGS_IF_BIT & 1;
}

static uint64_t probe_acquire(const struct vcpu* vcpu) {
  vcpu->result->extra[ON_IN_ACQUIRE] += interrupts_on();
  return 0;
}

static void probe_release(const struct vcpu* vcpu) {
  vcpu->result->extra[ON_IN_RELEASE] += interrupts_on();
}

static void probe_lock(struct vcpu* vcpu) {
  static const struct lock_operations lock = {probe_acquire, probe_release, 0, 0};

  lock_workload_run(vcpu, &lock);
  vcpu->result->extra[ON_AFTER] = interrupts_on();
}

static uint64_t acquire_nothing(const struct vcpu* vcpu) {
  (void)vcpu;
  return 0;
}

static void release_nothing(const struct vcpu* vcpu) { (void)vcpu; }

/* What an acquisition costs without the lock itself. */
static void probe_cost(struct vcpu* vcpu) {
  static const struct lock_operations nothing = {acquire_nothing, release_nothing, 0, 0};

  lock_workload_run(vcpu, &nothing);
}

static void probe_spinner(struct vcpu* vcpu) {
  probe_acquire(vcpu);
  vcpu->result->spins = vcpu->iterations;
}

USER_DATA static uint64_t user_interrupts_on, user_code_segment;

USER_CODE static void look_around(uint64_t first, uint64_t second, uint64_t third) {
  (void)first, (void)second, (void)third;
  user_interrupts_on = interrupts_on();
  __asm__ volatile("movq %%cs, %0" : "=r"(user_code_segment));
}

static void prepare_user(struct vcpu* vcpu) { user_mode_setup(vcpu->id); }

static void probe_user(struct vcpu* vcpu) {
  user_mode_call(vcpu->id, look_around, 0, 0, 0);
  vcpu->result->extra[ON_IN_ACQUIRE] = user_interrupts_on;
  vcpu->result->extra[PRIVILEGE_LEVEL] = user_code_segment & 3;
  vcpu->result->extra[ON_AFTER] = interrupts_on();
}

static const struct plectl_payload payload_table[] PAYLOAD_TABLE = {
    {.name = "probe_lock",
     .min_vcpus = 1,
     .flags = PLECTL_PAYLOAD_LOCK | PLECTL_PAYLOAD_INTERRUPTS_OFF,
     .extra_names = EXTRA_NAMES,
     .run = probe_lock},
    {.name = "probe_cost",
     .min_vcpus = 1,
     .flags = PLECTL_PAYLOAD_LOCK | PLECTL_PAYLOAD_HOLDS | PLECTL_PAYLOAD_THINKS |
              PLECTL_PAYLOAD_DURATION,
     .run = probe_cost},
    {.name = "probe_spinner",
     .min_vcpus = 1,
     .flags = PLECTL_PAYLOAD_SPINNER | PLECTL_PAYLOAD_INTERRUPTS_OFF,
     .extra_names = EXTRA_NAMES,
     .run = probe_spinner},
    {.name = "probe_user",
     .min_vcpus = 1,
     .extra_names = EXTRA_NAMES,
     .prepare = prepare_user,
     .run = probe_user},
};
