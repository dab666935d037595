// SPDX-License-Identifier: Apache-2.0
// scx_plain OBJECT SCHEDULER COMMAND...: runs a command under a sched_ext scheduler of OBJECT
// (scx_plain.bpf.c). Exit code: the command's, 125 when the kernel does not take the scheduler.
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char* what) {
  perror(what);
  return 125;
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  struct bpf_object* object = bpf_object__open_file(argv[1], NULL);
  if (object == NULL) return fail("open the schedulers");
  if (bpf_object__load(object) != 0) return fail("load the schedulers");
  struct bpf_map* map = bpf_object__find_map_by_name(object, argv[2]);
  if (map == NULL) return fail("find the scheduler");
  struct bpf_link* link = bpf_map__attach_struct_ops(map);
  if (link == NULL) return fail("start the scheduler");
  const pid_t child = fork();
  if (child == 0) {
    execvp(argv[3], argv + 3);
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return fail("run the command");
  bpf_link__destroy(link);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
