/* SPDX-License-Identifier: Apache-2.0 */
/* Files as bytes; PLECTL_LOOPBACK_SHIM and PLECTL_CPU_PROFILES are their paths. */
	.section .rodata
	.balign 16
	.globl plectl_loopback_shim_begin, plectl_loopback_shim_end
plectl_loopback_shim_begin:
	.incbin PLECTL_LOOPBACK_SHIM
plectl_loopback_shim_end:

	.globl plectl_cpu_profiles_begin, plectl_cpu_profiles_end
plectl_cpu_profiles_begin:
	.incbin PLECTL_CPU_PROFILES
plectl_cpu_profiles_end:

	.section .note.GNU-stack, "", @progbits
