/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Selectors of the GDT in tables.S. */
#define SEGMENT_CODE64 0x08
#define SEGMENT_DATA 0x10
#define SEGMENT_CODE32 0x18
#define GDT_LIMIT (4 * 8 - 1)

/* Where the APs' real-mode code is copied to; the start-up IPI carries the page number. */
#define TRAMPOLINE_ADDRESS 0x8000

#define STACK_SIZE 4096
