/* SPDX-License-Identifier: Apache-2.0 */
/* Into ring 3 and back. */
#include "guest_workloads/rt/segments.h"

#define RFLAGS_INTERRUPTS_ON 0x202 /* IOPL 0: no port is ring 3's */
#define TSS_RSP0 4
#define FRAME_SIZE 40 /* what an interrupt from ring 3 pushes */

	.text
	/*
	 * void user_mode_enter(struct tss* tss, uint64_t* stack_top, user_function function,
	 *                      uint64_t first, uint64_t second, uint64_t third)
	 * RSP0 of the TSS is where user_mode_return comes in: the CPU aligns it to 16 bytes.
	 */
	.globl user_mode_enter
user_mode_enter:
	subq $8, %rsp
	movq %rsp, TSS_RSP0(%rdi)
	movq $user_done, -8(%rsi)
	subq $8, %rsi
	pushq $SEGMENT_USER_DATA
	pushq %rsi
	pushq $RFLAGS_INTERRUPTS_ON
	pushq $SEGMENT_USER_CODE64
	pushq %rdx
	movq %rcx, %rdi
	movq %r8, %rsi
	movq %r9, %rdx
	iretq

	/* The gate of VECTOR_USER_RETURN. `function` has preserved what a C function preserves. */
	.globl user_mode_return
user_mode_return:
	addq $(FRAME_SIZE + 8), %rsp
	movl $SEGMENT_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	sti
	ret

	.section .user_text, "ax", @progbits
user_done:
	int $VECTOR_USER_RETURN

	.section .note.GNU-stack, "", @progbits
