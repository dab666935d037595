/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Repeatable random numbers without floating point; the host's tests compile it too. */
struct random_source {
  uint64_t state;
};

/* The source of one vCPU: the same seed and vCPU give the same numbers, others unrelated ones. */
struct random_source random_start(uint64_t seed, uint32_t vcpu);

/* 64 uniform bits (SplitMix64). */
uint64_t random_next(struct random_source* source);

/*
 * Exponentially distributed, rounded, of this mean (at most 10^12): what random arrivals are apart.
 * At most 45 times the mean. Some 210 instructions.
 */
uint64_t random_exponential(struct random_source* source, uint64_t mean);

#ifdef __cplusplus
}
#endif
