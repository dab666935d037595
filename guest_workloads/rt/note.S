/* SPDX-License-Identifier: Apache-2.0 */
/* The notes that make the ELF a payload: "plectl" for our host, "Xen" for any PVH loader. */
#include "guest_workloads/abi/abi.h"

/* Tests build an ELF that claims another version. */
#ifndef PLECTL_NOTE_ABI_VERSION
#define PLECTL_NOTE_ABI_VERSION PLECTL_ABI_VERSION
#endif

/* From Xen's public/elfnote.h: the 32-bit physical entry point of a PVH kernel. */
#define XEN_ELFNOTE_PHYS32_ENTRY 18

	.section .note.plectl, "a", @note
	.balign 4
	.long 2f - 1f
	.long 4f - 3f
	.long PLECTL_NOTE_TYPE
1:	.asciz PLECTL_NOTE_OWNER
2:	.balign 4
3:	/* struct plectl_note */
	.long PLECTL_NOTE_ABI_VERSION
	.long 0
	.quad boot_block
	.quad result_block
	.quad relax_sites_start
	.quad relax_sites_size
	.quad payload_table_start
	.quad payload_table_size
	.quad wait_histograms
4:	.balign 4

	.section .note.Xen, "a", @note
	.balign 4
	.long 2f - 1f
	.long 4f - 3f
	.long XEN_ELFNOTE_PHYS32_ENTRY
1:	.asciz "Xen"
2:	.balign 4
3:	.long start32
4:	.balign 4

	.section .note.GNU-stack, "", @progbits
