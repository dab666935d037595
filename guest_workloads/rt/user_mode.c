/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/rt/user_mode.h"

#include "guest_workloads/rt/rt.h"
#include "guest_workloads/rt/segments.h"

#define PAGE_PRESENT 0x1
#define PAGE_WRITE 0x2
#define PAGE_USER 0x4
#define PAGE_SIZE 4096
#define PAGES_PER_TABLE 512

#define TSS_AVAILABLE 0x89
#define USER_STACK_SIZE 256 /* a return address or two */

/* SDM vol 3A, 8.7: 64-bit task-state segment. */
struct __attribute__((packed)) tss {
  uint32_t reserved_0;
  uint64_t rsp[3];
  uint64_t reserved_1;
  uint64_t stack_table[7];
  uint64_t reserved_2;
  uint16_t reserved_3;
  uint16_t io_map; /* at the limit: no port is allowed */
};

/* From tables.S, user_entry.S and guest.ld. */
extern uint64_t gdt[], page_map_level4[], page_directory_pointers[], page_directories[];
extern const uint8_t user_mode_return[];
extern const uint8_t user_text_start[], user_text_end[], user_data_start[], user_data_end[];
void user_mode_enter(struct tss* tss, uint8_t* stack_top, user_function function, uint64_t first,
                     uint64_t second, uint64_t third);

static struct tss task_segments[PLECTL_MAX_VCPUS];
__attribute__((aligned(PAGE_SIZE))) static uint64_t first_pages[PAGES_PER_TABLE];
__attribute__((aligned(16)))
USER_DATA static uint8_t user_stacks[PLECTL_MAX_VCPUS][USER_STACK_SIZE];

static uint64_t rights_of_page(uint64_t page) {
  if (page >= (uint64_t)user_text_start && page < (uint64_t)user_text_end)
    return PAGE_PRESENT | PAGE_USER;
  if (page >= (uint64_t)user_data_start && page < (uint64_t)user_data_end)
    return PAGE_PRESENT | PAGE_WRITE | PAGE_USER;
  return PAGE_PRESENT | PAGE_WRITE;
}

/*
 * The first 2 MiB, where the ELF is, become pages of 4 KiB. Each vCPU that does it writes the same
 * values; the levels above have the U bit so that these pages can have it.
 */
static void map_user_pages(void) {
  for (uint64_t i = 0; i < PAGES_PER_TABLE; i++)
    first_pages[i] = (i * PAGE_SIZE) | rights_of_page(i * PAGE_SIZE);
  page_directories[0] = (uint64_t)first_pages | PAGE_PRESENT | PAGE_WRITE | PAGE_USER;
  page_directory_pointers[0] |= PAGE_USER;
  page_map_level4[0] |= PAGE_USER;
  __asm__ volatile("movq %0, %%cr3" : : "r"((uint64_t)page_map_level4) : "memory");
}

/* SDM vol 3A, 8.2.3: the descriptor has two entries. */
static void load_task_segment(uint32_t id) {
  const uint64_t base = (uint64_t)&task_segments[id];
  const uint16_t selector = (uint16_t)(SEGMENT_FIRST_TSS64 + id * 16);
  uint64_t* descriptor = &gdt[selector / 8];

  task_segments[id].io_map = sizeof(struct tss);
  descriptor[0] = (sizeof(struct tss) - 1) | ((base & 0xffffff) << 16) |
                  ((uint64_t)TSS_AVAILABLE << 40) | ((base >> 24 & 0xff) << 56);
  descriptor[1] = base >> 32;
  __asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

void user_mode_setup(uint32_t id) {
  map_user_pages();
  load_task_segment(id);
  interrupts_let_user_raise(VECTOR_USER_RETURN, (uint64_t)user_mode_return);
}

void user_mode_call(uint32_t id, user_function function, uint64_t first, uint64_t second,
                    uint64_t third) {
  user_mode_enter(&task_segments[id], user_stacks[id] + USER_STACK_SIZE, function, first, second,
                  third);
}
