/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program as user 65534, with CAP_BPF and CAP_PERFMON or without any capability. Usage:
 * as_nobody bpf|none PROGRAM ARGUMENT... */
#define _GNU_SOURCE /* setresuid */
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kNobody = 65534 };

static int keep(int capability) {
  return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
}

static int become_nobody(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  memset(data, 0, sizeof data);
  data[1].permitted = CAP_TO_MASK(CAP_BPF) | CAP_TO_MASK(CAP_PERFMON);
  data[1].effective = data[1].inheritable = data[1].permitted;
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgroups(0, NULL) != 0) return -1;
  if (setresgid(kNobody, kNobody, kNobody) != 0) return -1;
  if (setresuid(kNobody, kNobody, kNobody) != 0) return -1;
  return (int)syscall(SYS_capset, &header, data);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  if (become_nobody() != 0) {
    perror("become nobody");
    return 1;
  }
  if (strcmp(argv[1], "bpf") == 0 && (keep(CAP_BPF) != 0 || keep(CAP_PERFMON) != 0)) return 1;
  execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 1;
}
