/* SPDX-License-Identifier: Apache-2.0 */
	.section .rodata
	.globl hostile_guest_begin, hostile_guest_end
hostile_guest_begin:
	.incbin HOSTILE_GUEST_ELF
hostile_guest_end:
	.globl wrong_abi_guest_begin, wrong_abi_guest_end
wrong_abi_guest_begin:
	.incbin WRONG_ABI_GUEST_ELF
wrong_abi_guest_end:

	.section .note.GNU-stack, "", @progbits
