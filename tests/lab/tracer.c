/* SPDX-License-Identifier: Apache-2.0 */
/* A debugger: attaches to a thread, stops it for so long and leaves. Usage: tracer TID MILLISECONDS
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const pid_t tid = (pid_t)atoi(argv[1]);
  if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0 ||
      ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0 || waitpid(tid, NULL, __WALL) != tid) {
    perror("attach");
    return 1;
  }
  usleep((useconds_t)atoi(argv[2]) * 1000);
  if (ptrace(PTRACE_DETACH, tid, NULL, NULL) == 0) return 0;
  perror("detach");
  return 1;
}
