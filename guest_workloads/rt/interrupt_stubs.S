/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 256 entry points of 16 bytes each. All end in report_fault(vector, error code, RIP), which does
 * not return: the guest expects no interrupt and no exception.
 */
	.text
	.balign 16
	.globl interrupt_stubs
interrupt_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	/* The vectors for which the CPU pushes an error code itself (SDM vol 3A, table 6-1). */
	.if vector != 8 && vector != 10 && vector != 11 && vector != 12 && vector != 13 \
		&& vector != 14 && vector != 17 && vector != 21 && vector != 29 && vector != 30
	pushq $0
	.endif
	pushq $vector
	jmp 1f
	.set vector, vector + 1
	.endr

1:	cld
	movq 0(%rsp), %rdi
	movq 8(%rsp), %rsi
	movq 16(%rsp), %rdx
	call report_fault

	.section .note.GNU-stack, "", @progbits
