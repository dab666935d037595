/* SPDX-License-Identifier: Apache-2.0 */
/* The GDT and the page tables: 4 GiB mapped to themselves by 2 MiB pages (SDM vol 3A, 4.5). */
#include "guest_workloads/rt/segments.h"

#define PAGE_PRESENT_WRITE 0x03
#define PAGE_2M 0x83
#define PAGE_2M_UNCACHED 0x9b /* PCD and PWT: the page of the local APIC */
#define APIC_PAGE_INDEX (0xfee00000 >> 21)

	.section .data
	.balign 8
	.globl gdt, gdt_pointer
gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* SEGMENT_CODE64 */
	.quad 0x00cf93000000ffff /* SEGMENT_DATA */
	.quad 0x00cf9b000000ffff /* SEGMENT_CODE32 */
	.quad 0x00cff3000000ffff /* SEGMENT_USER_DATA */
	.quad 0x00affb000000ffff /* SEGMENT_USER_CODE64 */
	.rept PLECTL_MAX_VCPUS
	.quad 0x0000890000000067 /* SEGMENT_FIRST_TSS: 32-bit, never switched to */
	.endr
	.fill PLECTL_MAX_VCPUS * 2, 8, 0 /* SEGMENT_FIRST_TSS64 */
gdt_pointer:
	.word GDT_LIMIT
	.long gdt

	.balign 4096
	.globl page_map_level4, page_directory_pointers, page_directories
page_map_level4:
	.quad page_directory_pointers + PAGE_PRESENT_WRITE
	.fill 511, 8, 0

page_directory_pointers:
	.quad page_directories + 0x0000 + PAGE_PRESENT_WRITE
	.quad page_directories + 0x1000 + PAGE_PRESENT_WRITE
	.quad page_directories + 0x2000 + PAGE_PRESENT_WRITE
	.quad page_directories + 0x3000 + PAGE_PRESENT_WRITE
	.fill 508, 8, 0

page_directories:
	.set index, 0
	.rept 2048
	.if index == APIC_PAGE_INDEX
	.quad (index << 21) + PAGE_2M_UNCACHED
	.else
	.quad (index << 21) + PAGE_2M
	.endif
	.set index, index + 1
	.endr

	.section .note.GNU-stack, "", @progbits
