/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * Ring 3, for payloads that measure what CPL does to a PAUSE. Ring 3 reaches USER_CODE, USER_DATA
 * and its own stack, and nothing else; what it does wrong is reported as an exception like others.
 */

/* Functions so marked may run in ring 3. They may call only each other. */
#define USER_CODE __attribute__((section(".user_text"), noinline))
/* Variables so marked start as 0. */
#define USER_DATA __attribute__((section(".bss.user")))

typedef void (*user_function)(uint64_t first, uint64_t second, uint64_t third);

/* Makes ring 3 possible on the calling vCPU; before the start barrier, which orders all vCPUs. */
void user_mode_setup(uint32_t id);

/* Calls a USER_CODE function in ring 3 with interrupts on, and returns when it has. */
void user_mode_call(uint32_t id, user_function function, uint64_t first, uint64_t second,
                    uint64_t third);
