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

/*
 * Relaxes until *word equals `value`, with `body_loops` turns of an empty loop after each relax
 * instruction. Returns how many relax instructions were executed; at least one.
 */
uint64_t relax_until_equal(const volatile uint32_t* word, uint32_t value, uint64_t body_loops);
