/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/rt/relax.h"

#include <stddef.h>

#include "guest_workloads/abi/abi.h"
#include "guest_workloads/rt/user_mode.h"

/* From relax_sled.S. */
extern const uint8_t relax_sled_end[], relax_body_sled_end[];
USER_DATA uint64_t relax_body_loops;

/* From guest.ld: the table of all sites. */
extern uint64_t const relax_sites_start[];

static struct relax_shape shape_of_boot_block;

/* The site of the nop arm is two instructions, and as long as one PAUSE and one NOP of a sled. */
static uint64_t instructions_of_site(void) {
  const volatile uint8_t* site = (const volatile uint8_t*)relax_sites_start[0];

  return *site == PLECTL_RELAX_BYTE_0_NOP ? 2 : 1;
}

/* CALL and RET are two of the instructions, the NOPs in between the others. */
static uint64_t padding_of(uint64_t body_loops, uint64_t relax_tsc_cycles) {
  const uint8_t* end = body_loops == 0 ? relax_sled_end : relax_body_sled_end;

  if (relax_tsc_cycles == 0) return 0;
  return (uint64_t)end - (relax_tsc_cycles - instructions_of_site() - 2);
}

void relax_setup(uint64_t body_loops, uint64_t relax_tsc_cycles) {
  relax_body_loops = body_loops;
  shape_of_boot_block.body_loops = body_loops;
  shape_of_boot_block.padding = padding_of(body_loops, relax_tsc_cycles);
}

const struct relax_shape* relax_shape(void) {
  const struct relax_shape* shape = &shape_of_boot_block;

  return shape->body_loops == 0 && shape->padding == 0 ? NULL : shape;
}

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

static uint64_t relax_padded(const volatile uint32_t* word, uint32_t value, uint64_t padding) {
  uint64_t left = UINT64_MAX;

  __asm__ volatile("1:\t" RELAX_SITE_PADDED
                   "cmpl %[value], %[word]\n\t"
                   "loopne 1b"
                   : "+c"(left)
                   : [word] "m"(*word), [value] "r"(value), [padding] "r"(padding)
                   : RELAX_PADDING_CLOBBERS);
  return UINT64_MAX - left;
}

uint64_t relax_until_equal(const volatile uint32_t* word, uint32_t value,
                           const struct relax_shape* shape) {
  if (shape == NULL) return relax_tightly(word, value);
  if (shape->padding != 0) return relax_padded(word, value, shape->padding);
  return relax_with_body(word, value, shape->body_loops);
}
