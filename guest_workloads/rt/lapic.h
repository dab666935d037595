/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* The calling vCPU's local APIC. All but lapic_end_interrupt() before or in a measured part. */

/* Lets it deliver interrupts: IPIs other than INIT and start-up, and its timer's. */
void lapic_enable(void);
void lapic_end_interrupt(void);

/* Raises `vector` on all other vCPUs of the VM, by one write. */
void lapic_interrupt_others(uint8_t vector);

/* How many counts of the timer pass in 2^20 TSC cycles; takes that long. */
uint64_t lapic_timer_rate(void);
/* What the timer raises from now on; it stands still until started. */
void lapic_timer_vector(uint8_t vector);
/* Lets it go off once, `counts` counts (at least 1) from now. */
void lapic_timer_start(uint32_t counts);
