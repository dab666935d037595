/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "guest_workloads/abi/abi.h"

/* Selectors of the GDT in tables.S. */
#define SEGMENT_CODE64 0x08
#define SEGMENT_DATA 0x10
#define SEGMENT_CODE32 0x18
#define SEGMENT_FIRST_TSS 0x20 /* one per vCPU: LTR marks it busy */
#define GDT_LIMIT ((4 + PLECTL_MAX_VCPUS) * 8 - 1)

/* Where the APs' real-mode code is copied to; the start-up IPI carries the page number. */
#define TRAMPOLINE_ADDRESS 0x8000

#define STACK_SIZE 4096
