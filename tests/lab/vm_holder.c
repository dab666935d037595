/* SPDX-License-Identifier: Apache-2.0 */
/* A foreign VMM: holds a VM with a vCPU for so many seconds. Usage: vm_holder SECONDS */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const int kvm = open("/dev/kvm", O_RDWR);
  const int vm = ioctl(kvm, KVM_CREATE_VM, 0);
  if (argc != 2 || vm < 0 || ioctl(vm, KVM_CREATE_VCPU, 0) < 0) {
    perror("vm_holder");
    return 1;
  }
  close(kvm);
  puts("holds a VM");
  fflush(stdout);
  sleep((unsigned)atoi(argv[1]));
  return 0;
}
