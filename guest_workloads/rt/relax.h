/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * A relax site: the two-byte instruction that differs between the arms. For use inside __asm__;
 * each one lists its own address, and no other code of the guest may contain F3 90.
 */
#define RELAX_SITE                      \
  "771:\t.byte 0xf3, 0x90\n\t"          \
  ".pushsection relax_sites, \"a\"\n\t" \
  ".quad 771b\n\t"                      \
  ".popsection\n\t"

/* One with what relax_shape.padding adds to it, in the register operand `padding`. */
#define RELAX_SITE_PADDED RELAX_SITE "call *%[padding]\n\t"
#define RELAX_PADDING_CLOBBERS "r9", "cc", "memory"

/* How to spin when it is not to be as tight as possible. */
struct relax_shape {
  uint64_t body_loops; /* turns of an empty loop after each relax instruction */
  /*
   * 0, or the address to call after each relax instruction so that both together take
   * relax_tsc_cycles where an instruction takes one cycle, and body_loops is done as well.
   */
  uint64_t padding;
  /* How many relax instructions a turn of a wait loop has, and where to call them; 0: it has one.
   */
  uint64_t repeat;
  uint64_t row;
};

/* Once, on vCPU 0, as the boot block says. */
void relax_setup(void);

/* What the boot block says; 0 when that is to spin as tightly as possible. */
const struct relax_shape* relax_shape(void);

/*
 * Wait loops: each turn relaxes in the given shape, then looks at *word. They return how many relax
 * instructions were executed; at least one. docs/guest.md says how many instructions a turn has.
 */
uint64_t relax_until_equal(volatile uint32_t* word, uint32_t value,
                           const struct relax_shape* shape);
uint64_t relax_until_different(volatile uint32_t* word, uint32_t value,
                               const struct relax_shape* shape);
uint64_t relax_until_half_equal(volatile uint16_t* half, uint16_t value,
                                const struct relax_shape* shape);
uint64_t relax_until_byte_equal(volatile uint8_t* byte, uint8_t value,
                                const struct relax_shape* shape);
/* relax_until_equal(), but at most `turns` of the very same loop; not 0. */
uint64_t relax_turns(volatile uint32_t* word, uint32_t value, const struct relax_shape* shape,
                     uint64_t turns);
/* relax_until_different(), in the same way. */
uint64_t relax_turns_while(volatile uint32_t* word, uint32_t value, const struct relax_shape* shape,
                           uint64_t turns);
/* `count` relax instructions, 2 to PLECTL_RELAX_REPEAT_MAX, and nothing in between. */
void relax_row(uint64_t count);
/* Looks by swapping `value` in, until what comes out is 0. */
uint64_t relax_until_exchanged(volatile uint32_t* word, uint32_t value,
                               const struct relax_shape* shape);
