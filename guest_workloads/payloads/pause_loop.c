/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plainest loop that PLE can see: relax, dec, jnz. With a fixed window W and L cycles per turn,
 * N turns make N / (floor(W / L) + 2) PAUSE exits where an instruction takes a cycle: the first
 * PAUSE after a VM entry opens the loop, floor(W / L) more are inside the window, the next exits.
 * In ring 3 the same code makes none on Intel, where PLE looks at CPL 0 only.
 */
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/relax.h"
#include "guest_workloads/rt/user_mode.h"

USER_CODE static void turn_tightly(uint64_t turns) {
  __asm__ volatile("1:\t" RELAX_SITE
                   "decq %[turns]\n\t"
                   "jnz 1b"
                   : [turns] "+r"(turns)
                   :
                   : "cc", "memory");
}

USER_CODE static void turn_with_body(uint64_t turns, uint64_t body_loops) {
  uint64_t turn;

  __asm__ volatile("1:\t" RELAX_SITE
                   "movq %[body_loops], %[turn]\n"
                   "2:\tdecq %[turn]\n\t"
                   "jnz 2b\n\t"
                   "decq %[turns]\n\t"
                   "jnz 1b"
                   : [turns] "+r"(turns), [turn] "=&r"(turn)
                   : [body_loops] "r"(body_loops)
                   : "cc", "memory");
}

USER_CODE static void turn_padded(uint64_t turns, uint64_t padding) {
  __asm__ volatile("1:\t" RELAX_SITE_PADDED
                   "decq %[turns]\n\t"
                   "jnz 1b"
                   : [turns] "+r"(turns)
                   : [padding] "r"(padding)
                   : RELAX_PADDING_CLOBBERS);
}

/* At least one turn. By values, since ring 3 cannot read a relax_shape. */
USER_CODE static void turn(uint64_t turns, uint64_t body_loops, uint64_t padding) {
  if (padding != 0)
    turn_padded(turns, padding);
  else if (body_loops != 0)
    turn_with_body(turns, body_loops);
  else
    turn_tightly(turns);
}

static struct relax_shape value_of(const struct relax_shape* shape) {
  return shape ? *shape : (struct relax_shape){0, 0, 0, 0};
}

void pause_loop_turns(uint64_t turns, const struct relax_shape* shape) {
  const struct relax_shape value = value_of(shape);

  turn(turns, value.body_loops, value.padding);
}

void pause_loop_run(struct vcpu* vcpu) {
  pause_loop_turns(vcpu->iterations, vcpu->relax);
  vcpu->result->spins = vcpu->iterations;
}

void user_pause_loop_prepare(struct vcpu* vcpu) { user_mode_setup(vcpu->id); }

void user_pause_loop_run(struct vcpu* vcpu) {
  const struct relax_shape shape = value_of(vcpu->relax);

  user_mode_call(vcpu->id, turn, vcpu->iterations, shape.body_loops, shape.padding);
  vcpu->result->spins = vcpu->iterations;
}
