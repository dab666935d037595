/* SPDX-License-Identifier: Apache-2.0 */
/* A foreign VMM: each vCPU executes so many PAUSEs, then so many CPUIDs, then stays in user space
 * until the program is ended. Usage: foreign_vm VCPUS PAUSES CPUIDS [one-thread]. Prints "done"
 * when all have. With "one-thread" all vCPUs run in the main thread, one after the other, and vCPU
 * i executes 2 i + 1 times as many CPUIDs. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { kMemoryBytes = 0x10000, kEntry = 0x1000, kVcpusMax = 16, kTssAddress = 0xfffbd000 };

/* Real mode: ecx PAUSEs, esi CPUIDs, then an OUT. */
static const unsigned char kCode[] = {
    0xf3, 0x90, 0x66, 0x49, 0x75, 0xfa, /* pause; dec ecx; jnz */
    0x0f, 0xa2, 0x66, 0x4e, 0x75, 0xfa, /* cpuid; dec esi; jnz */
    0xe6, 0x10, 0xf4,                   /* out 0x10, al; hlt */
};

static unsigned pauses;
static unsigned cpuids;
static pthread_barrier_t all_done;

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void set_registers(int vcpu) {
  struct kvm_sregs special;
  struct kvm_regs registers;
  memset(&registers, 0, sizeof registers);
  if (ioctl(vcpu, KVM_GET_SREGS, &special) != 0) fail("KVM_GET_SREGS");
  special.cs.base = 0;
  special.cs.selector = 0;
  if (ioctl(vcpu, KVM_SET_SREGS, &special) != 0) fail("KVM_SET_SREGS");
  registers.rip = kEntry;
  registers.rflags = 0x202; /* interrupts on */
  registers.rcx = pauses;
  registers.rsi = cpuids;
  if (ioctl(vcpu, KVM_SET_REGS, &registers) != 0) fail("KVM_SET_REGS");
}

static void run_in_this_thread(int vcpu) {
  set_registers(vcpu);
  if (ioctl(vcpu, KVM_RUN, 0) != 0) fail("KVM_RUN");
}

static void* run_vcpu(void* argument) {
  const int vcpu = *(const int*)argument;
  run_in_this_thread(vcpu);
  pthread_barrier_wait(&all_done);
  pause();
  return NULL;
}

static int make_vm(void) {
  const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  const int vm = ioctl(kvm, KVM_CREATE_VM, 0);
  void* memory =
      mmap(NULL, kMemoryBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct kvm_userspace_memory_region region = {.memory_size = kMemoryBytes,
                                               .userspace_addr = (unsigned long)memory};
  if (vm < 0 || memory == MAP_FAILED) fail("make a VM");
  memcpy((char*)memory + kEntry, kCode, sizeof kCode);
  ioctl(vm, KVM_SET_TSS_ADDR, kTssAddress);
  if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) != 0) fail("give memory to a VM");
  return vm;
}

int main(int argc, char** argv) {
  static int vcpus[kVcpusMax];
  struct timespec start, end;
  const int count = argc == 4 || argc == 5 ? atoi(argv[1]) : 0;
  const int one_thread = argc == 5 && strcmp(argv[4], "one-thread") == 0;
  if (argc == 5 && !one_thread) return 2;
  if (count < 1 || count > kVcpusMax) return 2;
  pauses = (unsigned)atoi(argv[2]);
  cpuids = (unsigned)atoi(argv[3]);
  pthread_barrier_init(&all_done, NULL, one_thread ? 1 : (unsigned)count + 1);
  const int vm = make_vm();
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int i = 0; i < count; ++i) {
    pthread_t thread;
    vcpus[i] = ioctl(vm, KVM_CREATE_VCPU, i);
    if (vcpus[i] < 0) fail("KVM_CREATE_VCPU");
    if (one_thread) {
      cpuids = (unsigned)atoi(argv[3]) * (2 * (unsigned)i + 1);
      run_in_this_thread(vcpus[i]);
      continue;
    }
    if (pthread_create(&thread, NULL, run_vcpu, &vcpus[i]) != 0) fail("make a thread");
  }
  pthread_barrier_wait(&all_done);
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("done %lld\n", (end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec);
  fflush(stdout);
  pause();
  return 0;
}
