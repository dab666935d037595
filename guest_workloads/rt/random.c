/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/rt/random.h"

#define GOLDEN_GAMMA 0x9e3779b97f4a7c15u /* 2^64 / golden ratio, odd: every state comes up */
#define FRACTION_BITS 16
#define LN2 45426 /* ln(2), with FRACTION_BITS behind the point */

/* The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom generators). */
static uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

struct random_source random_start(uint64_t seed, uint32_t vcpu) {
  return (struct random_source){mix(mix(seed) + vcpu * GOLDEN_GAMMA)};
}

uint64_t random_next(struct random_source* source) {
  source->state += GOLDEN_GAMMA;
  return mix(source->state);
}

/*
 * -log2(uniform / 2^64) with FRACTION_BITS behind the point: the leading zeros are its whole part;
 * squaring the rest, which lies from 1 to 2, brings out the bits of its logarithm one by one.
 */
static uint64_t minus_log2(uint64_t uniform) {
  const uint64_t zeros = (uint64_t)__builtin_clzll(uniform);
  uint64_t rest = uniform << zeros >> 32; /* 31 bits behind the point */
  uint64_t logarithm = 0;

  for (int i = 0; i < FRACTION_BITS; i++) {
    rest = rest * rest >> 31;
    logarithm = logarithm << 1 | rest >> 32;
    rest >>= rest >> 32;
  }
  return ((zeros + 1) << FRACTION_BITS) - logarithm;
}

uint64_t random_exponential(struct random_source* source, uint64_t mean) {
  const uint64_t half = 1u << (FRACTION_BITS - 1);
  /* Of 0 there is no logarithm. */
  const uint64_t means = (minus_log2(random_next(source) | 1) * LN2) >> FRACTION_BITS;

  return (mean * means + half) >> FRACTION_BITS;
}
