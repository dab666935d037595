/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least guest that QEMU boots by -kernel (PVH): QEMU_SPIN_PAUSES turns of pause, dec, jnz,
 * which is payload pause_loop's loop, then the end by QEMU's isa-debug-exit at port 0xf4.
 */
#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define DEBUG_EXIT_PORT 0xf4

	.section .note.Xen, "a", @note
	.balign 4
	.long 2f - 1f
	.long 4f - 3f
	.long XEN_ELFNOTE_PHYS32_ENTRY
1:	.asciz "Xen"
2:	.balign 4
3:	.long start
4:	.balign 4

	.text
	.code32
	.globl start
start:
	movl $QEMU_SPIN_PAUSES, %ecx
1:	pause
	decl %ecx
	jnz 1b
	xorl %eax, %eax
	outb %al, $DEBUG_EXIT_PORT
2:	jmp 2b

	.section .note.GNU-stack, "", @progbits
