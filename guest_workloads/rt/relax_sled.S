/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a padded relax site calls, at as many NOPs before an end as shall pass. Ring 3 calls it too.
 */
#include "guest_workloads/abi/abi.h"

	.section .user_text, "ax", @progbits
	.fill PLECTL_RELAX_SLED_NOPS, 1, 0x90
	.globl relax_sled_end
relax_sled_end:
	ret

	/* The same with the loop of body_loops, which is not part of relax_tsc_cycles. */
	.fill PLECTL_RELAX_SLED_NOPS, 1, 0x90
	.globl relax_body_sled_end
relax_body_sled_end:
	movq relax_body_loops(%rip), %r9
1:	decq %r9
	jnz 1b
	ret

	.section .note.GNU-stack, "", @progbits
