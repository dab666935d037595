/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 256 entry points of 16 bytes each. A vector with a handler calls it and returns to what it
 * interrupted. All others end in report_fault(vector, error code, RIP), which does not return: the
 * guest expects no other interrupt and no exception.
 */
#define SAVED_SIZE 72 /* RAX to R11 below; then come vector, error code and RIP */

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

	/* What a C function may change. The stack is aligned to 16 bytes at each CALL. */
1:	cld
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	movq SAVED_SIZE(%rsp), %rdi
	movq interrupt_handlers(, %rdi, 8), %rax
	testq %rax, %rax
	jz 2f
	call *%rax
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq

2:	movq SAVED_SIZE + 8(%rsp), %rsi
	movq SAVED_SIZE + 16(%rsp), %rdx
	call report_fault

	.section .note.GNU-stack, "", @progbits
