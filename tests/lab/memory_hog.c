/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the kernel reclaim memory, without swap and without files: writes to more pages than there
 * are and gives each up with MADV_FREE, which lets the kernel take it when it is short of memory.
 * Usage: memory_hog MIB, for ever. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char** argv) {
  const size_t chunk = 1 << 20;
  const size_t chunks = argc == 2 ? (size_t)atoi(argv[1]) : 0;
  char* memory = mmap(NULL, chunks * chunk, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    perror("memory_hog");
    return 1;
  }
  for (size_t i = 0;; i = (i + 1) % chunks) {
    memset(memory + i * chunk, 1, chunk);
    madvise(memory + i * chunk, chunk, MADV_FREE);
  }
}
