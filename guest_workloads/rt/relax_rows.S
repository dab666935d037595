/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of relax sites: called at as many sites before an end as shall be executed in a row. Nothing
 * stands between two of them, so each is as near to the next as a relax instruction is long.
 */
#include "guest_workloads/abi/abi.h"

	.macro relax_site
771:	.byte PLECTL_RELAX_BYTE_0_PAUSE, PLECTL_RELAX_BYTE_1
	.pushsection relax_sites, "a"
	.quad 771b
	.popsection
	.endm

	/* As functions, so that a PAUSE exit in one has a name. */
	.text
	.type relax_row_sites, @function
relax_row_sites:
	.rept PLECTL_RELAX_REPEAT_MAX
	relax_site
	.endr
	.globl relax_row_end
relax_row_end:
	ret
	.size relax_row_sites, . - relax_row_sites

	/* Each with the padding in R8 (relax_sled.S), RELAX_PADDED_SITE_SIZE bytes together. */
	.type relax_padded_row_sites, @function
relax_padded_row_sites:
	.rept PLECTL_RELAX_REPEAT_MAX
	relax_site
	call *%r8
	.endr
	.globl relax_padded_row_end
relax_padded_row_end:
	ret
	.size relax_padded_row_sites, . - relax_padded_row_sites

	.section .note.GNU-stack, "", @progbits
