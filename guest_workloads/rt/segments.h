/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "guest_workloads/abi/abi.h"

/* Selectors of the GDT in tables.S. */
#define SEGMENT_CODE64 0x08
#define SEGMENT_DATA 0x10
#define SEGMENT_CODE32 0x18
#define SEGMENT_USER_DATA 0x23   /* ring 3 */
#define SEGMENT_USER_CODE64 0x2b /* ring 3 */
#define SEGMENT_FIRST_TSS 0x30   /* one per vCPU: LTR marks it busy */
/* One per vCPU that uses ring 3, two entries each; filled in by user_mode.c. */
#define SEGMENT_FIRST_TSS64 (SEGMENT_FIRST_TSS + PLECTL_MAX_VCPUS * 8)
#define GDT_LIMIT (SEGMENT_FIRST_TSS64 + PLECTL_MAX_VCPUS * 16 - 1)

/* Where the APs' real-mode code is copied to; the start-up IPI carries the page number. */
#define TRAMPOLINE_ADDRESS 0x8000

#define STACK_SIZE 4096

#define VECTOR_USER_RETURN 0x80 /* the one that ring 3 may raise */
