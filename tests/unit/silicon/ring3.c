/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/unit/silicon/ring3.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/relax.h"
#include "guest_workloads/rt/rt.h"
#include "guest_workloads/rt/user_mode.h"

#define PAGE_SIZE 4096
#define DEADLINE_S 50

/* What rt/main.c has in a guest. */
__attribute__((aligned(64))) struct plectl_result_block result_block;
volatile struct plectl_boot_block boot_block;
__attribute__((aligned(4096))) struct plectl_wait_histogram wait_histograms[PLECTL_MAX_VCPUS];

extern const uint64_t __start_relax_sites[], __stop_relax_sites[];

noreturn void abort_guest(uint32_t code) { _exit((int)code); }

/* It is ring 3 already. */
void user_mode_setup(uint32_t id) { (void)id; }
void user_mode_call(uint32_t id, user_function function, uint64_t first, uint64_t second,
                    uint64_t third) {
  (void)id;
  function(first, second, third);
}

/* The clock: real until `then_after`, each in its rate. */
static struct {
  uint64_t start;
  uint64_t then_after; /* real TSC; UINT64_MAX: not yet */
  uint64_t calls_left;
  double rate;
  double rate_then;
} fake;

/* The payloads' (PLECTL_TEST_CLOCK). Of one vCPU where the rate changes. */
uint64_t rdtsc(void) {
  const uint64_t now = __builtin_ia32_rdtsc();

  if (fake.rate == 0) return now;
  if (fake.calls_left != 0 && --fake.calls_left == 0) fake.then_after = now;
  if (now <= fake.then_after) return (uint64_t)((double)(now - fake.start) * fake.rate);
  return (uint64_t)((double)(fake.then_after - fake.start) * fake.rate +
                    (double)(now - fake.then_after) * fake.rate_then);
}

struct payload {
  const char* name;
  void (*prepare)(struct vcpu* vcpu);
  void (*run)(struct vcpu* vcpu);
};
static const struct payload payloads[] = {
    {"token_ring", 0, token_ring_run},
    {"tas", 0, tas_run},
    {"ttas", 0, ttas_run},
    {"ticket", 0, ticket_run},
    {"mcs", 0, mcs_run},
    {"qspinlock", 0, qspinlock_run},
    {"holder_preempted", 0, holder_preempted_run},
    {"barrier", barrier_prepare, barrier_run},
    {"pause_storm", pause_storm_prepare, pause_storm_run},
    {"pause_loop", 0, pause_loop_run},
    {"wait_loop", 0, wait_loop_run},
    {"relax_cost", 0, relax_cost_run},
    {"user_pause_loop", user_pause_loop_prepare, user_pause_loop_run},
};

static const struct payload* find(const char* name) {
  for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
    if (strcmp(payloads[i].name, name) == 0) return &payloads[i];
  return 0;
}

struct thread {
  const struct ring3_request* request;
  const struct payload* payload;
  pthread_barrier_t* barrier;
  uint32_t id;
};

static struct vcpu describe_vcpu(const struct ring3_request* request, uint32_t id) {
  return (struct vcpu){
      .id = id,
      .vcpus = request->vcpus,
      .iterations = request->iterations != 0 ? request->iterations : UINT64_MAX,
      .duration_tsc_cycles = request->duration_tsc_cycles,
      .hold_tsc_cycles = request->hold_tsc_cycles,
      .relax = relax_shape(),
      .random = random_start(1, id),
      .result = &result_block.vcpus[id],
      .waits = &wait_histograms[id],
  };
}

static void pin(uint32_t index) {
  cpu_set_t allowed, one;
  uint32_t left = index;

  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) _exit(255);
  left %= (uint32_t)CPU_COUNT(&allowed);
  CPU_ZERO(&one);
  for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &allowed) && left-- == 0) CPU_SET(cpu, &one);
  if (sched_setaffinity(0, sizeof(one), &one) != 0) _exit(255);
}

/* As run_payload() of rt/main.c. */
static void* run_vcpu(void* argument) {
  const struct thread* thread = argument;
  struct vcpu vcpu = describe_vcpu(thread->request, thread->id);

  pin(thread->id % thread->request->cpus);
  if (thread->payload->prepare) thread->payload->prepare(&vcpu);
  pthread_barrier_wait(thread->barrier);
  vcpu.result->state = PLECTL_VCPU_RUNNING;
  vcpu.result->tsc_start = rdtsc();
  thread->payload->run(&vcpu);
  vcpu.result->tsc_end = rdtsc();
  vcpu.result->state = PLECTL_VCPU_DONE;
  return 0;
}

static void patch_sites(uint8_t first_byte) {
  for (const uint64_t* site = __start_relax_sites; site != __stop_relax_sites; site++) {
    const uint64_t page = *site & ~(uint64_t)(PAGE_SIZE - 1);

    if (mprotect((void*)page, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) _exit(255);
    *(volatile uint8_t*)*site = first_byte;
  }
}

static void set_clock(const struct ring3_request* request) {
  if (request->clock_rate == 0) return;
  fake.start = __builtin_ia32_rdtsc();
  fake.then_after = UINT64_MAX;
  fake.calls_left = request->calls;
  fake.rate_then = request->clock_rate_then;
  fake.rate = request->clock_rate;
}

static noreturn void be_guest(const struct ring3_request* request, struct ring3_result* result) {
  const struct payload* payload = find(request->payload);
  struct thread threads[PLECTL_MAX_VCPUS];
  pthread_t handles[PLECTL_MAX_VCPUS];
  pthread_barrier_t barrier;

  alarm(DEADLINE_S);
  if (payload == 0) _exit(255);
  boot_block.vcpus = request->vcpus;
  boot_block.body_loops = request->body_loops;
  boot_block.relax_repeat = request->relax_repeat != 0 ? request->relax_repeat : 1;
  if (request->nop) patch_sites(PLECTL_RELAX_BYTE_0_NOP);
  relax_setup();
  set_clock(request);
  result_block.magic = PLECTL_RESULT_MAGIC;
  result_block.version = PLECTL_ABI_VERSION;
  result_block.size = sizeof(result_block);
  pthread_barrier_init(&barrier, 0, request->vcpus);
  for (uint32_t id = 0; id < request->vcpus; id++) {
    threads[id] = (struct thread){request, payload, &barrier, id};
    if (pthread_create(&handles[id], 0, run_vcpu, &threads[id]) != 0) _exit(255);
  }
  for (uint32_t id = 0; id < request->vcpus; id++) pthread_join(handles[id], 0);
  memcpy(&result->block, &result_block, sizeof(result_block));
  memcpy(result->histograms, wait_histograms, sizeof(wait_histograms));
  _exit(0);
}

static int wait_for(pid_t child) {
  int status;

  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

int ring3_run(const struct ring3_request* request, struct ring3_result* result) {
  struct ring3_result* shared =
      mmap(0, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t child;
  int code;

  if (shared == MAP_FAILED) return -1;
  child = fork();
  if (child == 0) be_guest(request, shared);
  code = wait_for(child);
  memcpy(result, shared, sizeof(*shared));
  munmap(shared, sizeof(*shared));
  return code;
}

uint64_t ring3_stamps_gone_back(uint64_t pairs) {
  uint64_t gone_back = 0;

  pin(0);
  for (uint64_t i = 0; i < pairs; i++) {
    const uint64_t first = __builtin_ia32_rdtsc();

    gone_back += __builtin_ia32_rdtsc() < first;
  }
  return gone_back;
}
