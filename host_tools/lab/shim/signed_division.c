/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into Debian's Bochs 3.1 by what scripts/newer-engine makes. Its g++ 16 took two
 * structures of the same layout for unrelated ones and left out a store, so that the emulated IDIV
 * of 64 bits divides garbage, and no Linux boots. The function is exported, for the plug-ins: what
 * its first bytes are does not matter, they become a jump to a division that is right. Where there
 * is no such function nothing is changed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct wide {
  uint64_t low;
  int64_t high;
};

/* As the original: the caller has excluded what does not fit. */
static void divide(struct wide* quotient, int64_t* remainder, const struct wide* dividend,
                   int64_t divisor) {
  const __int128 value =
      (__int128)((unsigned __int128)(uint64_t)dividend->high << 64) + (__int128)dividend->low;
  const __int128 whole = value / divisor;

  *remainder = (int64_t)(value % divisor);
  quotient->low = (uint64_t)whole;
  quotient->high = (int64_t)(whole >> 64);
}

static void protect(uintptr_t address, int protection) {
  const uintptr_t page_mask = 4095;

  /* Two pages: the jump may lie across their boundary. */
  if (mprotect((void*)(address & ~page_mask), 8192, protection) == 0) return;
  perror("signed_division: mprotect");
  exit(3);
}

__attribute__((constructor)) static void repair(void) {
  unsigned char jump[] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0}; /* mov rax, N; jmp rax */
  const uintptr_t to = (uintptr_t)&divide;
  void* at = dlsym(RTLD_DEFAULT, "_Z9long_idivP7Bit128sPlPKS_l");

  if (at == NULL) return;
  memcpy(jump + 2, &to, sizeof(to));
  protect((uintptr_t)at, PROT_READ | PROT_WRITE);
  memcpy(at, jump, sizeof(jump));
  protect((uintptr_t)at, PROT_READ | PROT_EXEC);
}
