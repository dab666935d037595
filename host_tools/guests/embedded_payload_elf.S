/* SPDX-License-Identifier: Apache-2.0 */
/* The payload ELF as bytes; PLECTL_PAYLOAD_ELF is its path in the build tree. */
	.section .rodata
	.balign 16
	.globl plectl_embedded_payload_begin, plectl_embedded_payload_end
plectl_embedded_payload_begin:
	.incbin PLECTL_PAYLOAD_ELF
plectl_embedded_payload_end:

	.section .note.GNU-stack, "", @progbits
