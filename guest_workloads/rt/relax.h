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
};

/* Once, on vCPU 0, with the boot block's values. */
void relax_setup(uint64_t body_loops, uint64_t relax_tsc_cycles);

/* What relax_setup() was told; 0 when that is to spin as tightly as possible. */
const struct relax_shape* relax_shape(void);

/*
 * Relaxes until *word equals `value`, in the given shape. Returns how many relax instructions were
 * executed; at least one.
 */
uint64_t relax_until_equal(const volatile uint32_t* word, uint32_t value,
                           const struct relax_shape* shape);
