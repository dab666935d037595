/* SPDX-License-Identifier: Apache-2.0 */
/* The shim as bytes; PLECTL_LOOPBACK_SHIM is its path in the build tree. */
	.section .rodata
	.balign 16
	.globl plectl_loopback_shim_begin, plectl_loopback_shim_end
plectl_loopback_shim_begin:
	.incbin PLECTL_LOOPBACK_SHIM
plectl_loopback_shim_end:

	.section .note.GNU-stack, "", @progbits
