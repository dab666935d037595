/* SPDX-License-Identifier: Apache-2.0 */
/* Files as bytes; PLECTL_DISPLAY_SHIM and PLECTL_CPU_PROFILES are their paths. */
	.section .rodata
	.balign 16
	.globl plectl_display_shim_begin, plectl_display_shim_end
plectl_display_shim_begin:
	.incbin PLECTL_DISPLAY_SHIM
plectl_display_shim_end:

	.globl plectl_cpu_profiles_begin, plectl_cpu_profiles_end
plectl_cpu_profiles_begin:
	.incbin PLECTL_CPU_PROFILES
plectl_cpu_profiles_end:

	.section .note.GNU-stack, "", @progbits
