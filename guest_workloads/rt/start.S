/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a vCPU's first instruction to guest_main(): vCPU 0 comes in at start32 as a PVH loader
 * leaves it (32-bit flat protected mode, paging off), the others in real mode from the start-up
 * IPI.
 */
#include "guest_workloads/abi/abi.h"
#include "guest_workloads/rt/segments.h"

#define CR0_LONG_MODE 0x80000031 /* PG, NE, ET, PE; caches on: INIT leaves CD and NW set */
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100

	.text
	.code32
	.globl start32
start32:
	cli
	cld
	lgdtl gdt_pointer
	ljmpl $SEGMENT_CODE32, $protected_mode

protected_mode:
	movl $SEGMENT_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	/*
	 * KVM leaves a 16-bit TSS in TR after INIT (init_vmcb() in arch/x86/kvm/svm/svm.c), with which
	 * Bochs refuses long mode. EBX = 8 * the vCPU's number (below).
	 */
	movl $1, %eax
	cpuid
	shrl $24, %ebx
	subl boot_block + PLECTL_BOOT_FIRST_VCPU_OFFSET, %ebx
	cmpl $PLECTL_MAX_VCPUS, %ebx
	jae 1f
	shll $3, %ebx
	addl $SEGMENT_FIRST_TSS, %ebx
	ltr %bx
1:	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $page_map_level4, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	movl $CR0_LONG_MODE, %eax
	movl %eax, %cr0
	ljmpl $SEGMENT_CODE64, $long_mode

	.code64
long_mode:
	/*
	 * The vCPU's number: its initial APIC ID (CPUID leaf 1, EBX bits 31..24; SDM vol 2A) less that
	 * of the first.
	 */
	movl $1, %eax
	cpuid
	shrl $24, %ebx
	subl boot_block + PLECTL_BOOT_FIRST_VCPU_OFFSET, %ebx
	cmpl $PLECTL_MAX_VCPUS, %ebx
	jae 1f
	movl %ebx, %edi
	leal 1(%rbx), %eax
	imull $STACK_SIZE, %eax, %eax
	leaq stacks(%rax), %rsp
	xorl %ebp, %ebp
	call guest_main
1:	movl $(PLECTL_COMMAND_ABORT | (PLECTL_ABORT_APIC_ID << PLECTL_ABORT_SHIFT)), %eax
	movl $PLECTL_PORT, %edx
	outl %eax, %dx
	hlt
	jmp 1b

	/* Copied to TRAMPOLINE_ADDRESS: everything in it is relative to that page. */
	.code16
	.globl trampoline_start, trampoline_end
trampoline_start:
	cli
	cld
	movw $(TRAMPOLINE_ADDRESS >> 4), %ax
	movw %ax, %ds
	lgdtl trampoline_gdt_pointer - trampoline_start
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $SEGMENT_CODE32, $protected_mode
	.balign 4
trampoline_gdt_pointer:
	.word GDT_LIMIT
	.long gdt
trampoline_end:

	.section .bss.stacks, "aw", @nobits
	.balign 16
	.globl stacks
stacks:
	.skip PLECTL_MAX_VCPUS * STACK_SIZE

	.section .note.GNU-stack, "", @progbits
