/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/rt/relax.h"

/*
 * LOOPNE counts in RCX and jumps while the comparison differs, so the loop counts its turns and is
 * still relax, cmp, branch: three instructions. It costs a few cycles more than JNE on Intel cores,
 * equally in both arms.
 */
static uint64_t relax_tightly(const volatile uint32_t* word, uint32_t value) {
  uint64_t left = UINT64_MAX;

  __asm__ volatile("1:\t" RELAX_SITE
                   "cmpl %[value], %[word]\n\t"
                   "loopne 1b"
                   : "+c"(left)
                   : [word] "m"(*word), [value] "r"(value)
                   : "cc", "memory");
  return UINT64_MAX - left;
}

static uint64_t relax_with_body(const volatile uint32_t* word, uint32_t value,
                                uint64_t body_loops) {
  uint64_t left = UINT64_MAX;
  uint64_t turn;

  __asm__ volatile("1:\t" RELAX_SITE
                   "movq %[body_loops], %[turn]\n"
                   "2:\tdecq %[turn]\n\t"
                   "jnz 2b\n\t"
                   "cmpl %[value], %[word]\n\t"
                   "loopne 1b"
                   : "+c"(left), [turn] "=&r"(turn)
                   : [word] "m"(*word), [value] "r"(value), [body_loops] "r"(body_loops)
                   : "cc", "memory");
  return UINT64_MAX - left;
}

uint64_t relax_until_equal(const volatile uint32_t* word, uint32_t value, uint64_t body_loops) {
  if (body_loops == 0) return relax_tightly(word, value);
  return relax_with_body(word, value, body_loops);
}
