/* SPDX-License-Identifier: Apache-2.0 */
/* Files as bytes; PLECTL_LIBSSL_SHIM and PLECTL_LIBCRYPTO_SHIM are their paths. */
	.section .rodata
	.balign 16
	.globl plectl_libssl_shim_begin, plectl_libssl_shim_end
plectl_libssl_shim_begin:
	.incbin PLECTL_LIBSSL_SHIM
plectl_libssl_shim_end:

	.globl plectl_libcrypto_shim_begin, plectl_libcrypto_shim_end
plectl_libcrypto_shim_begin:
	.incbin PLECTL_LIBCRYPTO_SHIM
plectl_libcrypto_shim_end:

	.section .note.GNU-stack, "", @progbits
