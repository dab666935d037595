/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/rt/relax.h"

#include <stddef.h>

#include "guest_workloads/rt/rt.h"
#include "guest_workloads/rt/user_mode.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define RELAX_SITE_SIZE 2
#define RELAX_PADDED_SITE_SIZE 5

/* From relax_sled.S and relax_rows.S. */
extern const uint8_t relax_sled_end[], relax_body_sled_end[];
extern const uint8_t relax_row_end[], relax_padded_row_end[];
USER_DATA uint64_t relax_body_loops;

/* From guest.ld: the table of all sites. */
extern uint64_t const relax_sites_start[];

static struct relax_shape shape_of_boot_block;

/* The site of the nop arm is two instructions, and as long as one PAUSE and one NOP of a sled. */
static uint64_t instructions_of_site(void) {
  const volatile uint8_t* site = (const volatile uint8_t*)relax_sites_start[0];

  return *site == PLECTL_RELAX_BYTE_0_NOP ? 2 : 1;
}

/* CALL and RET are two of the instructions, the NOPs in between the others. */
static uint64_t padding_of(uint64_t body_loops, uint64_t relax_tsc_cycles) {
  const uint8_t* end = body_loops == 0 ? relax_sled_end : relax_body_sled_end;

  if (relax_tsc_cycles == 0) return 0;
  return (uint64_t)end - (relax_tsc_cycles - instructions_of_site() - 2);
}

/* Where the last `repeat` sites of a row begin. */
static uint64_t row_of(uint64_t repeat, uint64_t padding) {
  if (repeat < 2) return 0;
  if (padding != 0) return (uint64_t)relax_padded_row_end - repeat * RELAX_PADDED_SITE_SIZE;
  return (uint64_t)relax_row_end - repeat * RELAX_SITE_SIZE;
}

void relax_setup(void) {
  struct relax_shape* shape = &shape_of_boot_block;

  relax_body_loops = boot_block.body_loops;
  shape->body_loops = boot_block.body_loops;
  shape->padding = padding_of(boot_block.body_loops, boot_block.relax_tsc_cycles);
  shape->repeat = boot_block.relax_repeat;
  shape->row = row_of(shape->repeat, shape->padding);
}

const struct relax_shape* relax_shape(void) {
  const struct relax_shape* shape = &shape_of_boot_block;

  return shape->body_loops == 0 && shape->padding == 0 && shape->row == 0 ? NULL : shape;
}

/*
 * LOOPNE counts in RCX and jumps while the comparison differs, so the loop counts its turns and is
 * still relax, look, branch. It costs a few cycles more than JNE on Intel cores, equally in both
 * arms. Each shape has a loop of its own, so that none pays for another.
 */
#define LOOP(relax, look, branch, ...)                   \
  __asm__ volatile("1:\t" relax look "\n\t" branch " 1b" \
                   : "+c"(left), [word] "+m"(*word)      \
                   : [value] "r"(value), ##__VA_ARGS__   \
                   : "eax", "r9", "cc", "memory")

#define BODY                   \
  "movq %[body_loops], %%r9\n" \
  "2:\tdecq %%r9\n\t"          \
  "jnz 2b\n\t"

#define DEFINE_BOUNDED_LOOP(name, type, look, branch)                              \
  uint64_t name(volatile type* word, type value, const struct relax_shape* shape,  \
                uint64_t turns) {                                                  \
    uint64_t left = turns;                                                         \
                                                                                   \
    if (shape == NULL) {                                                           \
      LOOP(RELAX_SITE, look, branch);                                              \
    } else if (shape->row != 0) {                                                  \
      register uint64_t padding __asm__("r8") = shape->padding;                    \
      LOOP("call *%[row]\n\t", look, branch, [row] "r"(shape->row), "r"(padding)); \
      return (turns - left) * shape->repeat;                                       \
    } else if (shape->padding != 0) {                                              \
      LOOP(RELAX_SITE_PADDED, look, branch, [padding] "r"(shape->padding));        \
    } else {                                                                       \
      LOOP(RELAX_SITE BODY, look, branch, [body_loops] "r"(shape->body_loops));    \
    }                                                                              \
    return turns - left;                                                           \
  }

#define DEFINE_WAIT_LOOP(name, type, look, branch)                                  \
  ALWAYS_INLINE DEFINE_BOUNDED_LOOP(name##_within, type, look, branch)              \
  uint64_t name(volatile type* word, type value, const struct relax_shape* shape) { \
    return name##_within(word, value, shape, UINT64_MAX);                           \
  }

DEFINE_BOUNDED_LOOP(relax_turns, uint32_t, "cmpl %k[value], %[word]", "loopne")
DEFINE_BOUNDED_LOOP(relax_turns_while, uint32_t, "cmpl %k[value], %[word]", "loope")
DEFINE_WAIT_LOOP(relax_until_equal, uint32_t, "cmpl %k[value], %[word]", "loopne")
DEFINE_WAIT_LOOP(relax_until_different, uint32_t, "cmpl %k[value], %[word]", "loope")
DEFINE_WAIT_LOOP(relax_until_half_equal, uint16_t, "cmpw %w[value], %[word]", "loopne")
DEFINE_WAIT_LOOP(relax_until_byte_equal, uint8_t, "cmpb %b[value], %[word]", "loopne")
DEFINE_WAIT_LOOP(relax_until_exchanged, uint32_t,
                 "movl %k[value], %%eax\n\txchgl %%eax, %[word]\n\ttestl %%eax, %%eax", "loopne")

void relax_row(uint64_t count) {
  const uint64_t without_body = padding_of(0, boot_block.relax_tsc_cycles);
  const uint64_t row = row_of(count, without_body);
  register uint64_t padding __asm__("r8") = without_body;

  __asm__ volatile("call *%[row]" : : [row] "r"(row), "r"(padding) : "r9", "cc", "memory");
}
