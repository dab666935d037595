/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The contract between a payload ELF (the guest) and whoever boots it (the host), for C, C++ and
 * assembly. The ELF's note says where everything is; the host patches the relax sites, writes the
 * boot block, starts vCPU 0 at the PVH entry and reads the result block when all vCPUs are done.
 * Guest addresses are guest-physical integers on the host's side. docs/guest.md tells the story.
 */

/* Raised whenever anything below changes; the host refuses an ELF of any other version. */
#define PLECTL_ABI_VERSION 4

#define PLECTL_NOTE_OWNER "plectl"
#define PLECTL_NOTE_TYPE 1

#define PLECTL_BOOT_MAGIC 0x544f4f42   /* "BOOT" in memory */
#define PLECTL_RESULT_MAGIC 0x544c5352 /* "RSLT" in memory */

#define PLECTL_MAX_VCPUS 64 /* vCPU i has APIC ID first_vcpu + i, below this */
#define PLECTL_MAX_EXTRAS 8
#define PLECTL_NAME_SIZE 32 /* with the terminating 0 */

/* Guest memory is [0, this); the ELF lies between these two, all below is the runtime's own. */
#define PLECTL_LOAD_ADDRESS 0x100000
#define PLECTL_MEMORY_SIZE 0x1000000

/*
 * The guest speaks by 32-bit OUTs to one port: a command in bits 0..7, an abort code above.
 * SYNC: this vCPU is ready; the host lets all go on when all have arrived. DONE and ABORT: this
 * vCPU never goes on.
 */
#define PLECTL_PORT 0x504c
#define PLECTL_COMMAND_SYNC 1
#define PLECTL_COMMAND_DONE 2
#define PLECTL_COMMAND_ABORT 3
#define PLECTL_COMMAND_MASK 0xff
#define PLECTL_ABORT_SHIFT 8

#define PLECTL_ABORT_EXCEPTION 1  /* see plectl_vcpu_result.fault_* */
#define PLECTL_ABORT_BOOT_BLOCK 2 /* magic, version, size, flags or payload make no sense */
#define PLECTL_ABORT_APIC_ID 3    /* a vCPU with an APIC ID that the boot block does not cover */
#define PLECTL_ABORT_CONTINUED 4  /* the host resumed a vCPU after DONE */
#define PLECTL_ABORT_EXCLUSION 5  /* two vCPUs held the lock; see plectl_vcpu_result.other_owner */

/* The two encodings at a relax site: as linked (PAUSE = rep; nop), and of the nop arm. */
#define PLECTL_RELAX_BYTE_0_PAUSE 0xf3
#define PLECTL_RELAX_BYTE_0_NOP 0x90
#define PLECTL_RELAX_BYTE_1 0x90

/* Of plectl_boot_block.relax_tsc_cycles: from CALL, RET and two NOPs up to a whole sled. */
#define PLECTL_RELAX_SLED_NOPS 1024
#define PLECTL_RELAX_TSC_CYCLES_MIN 4
#define PLECTL_RELAX_TSC_CYCLES_MAX (PLECTL_RELAX_SLED_NOPS + 3)
/* Of plectl_boot_block.relax_repeat, from 1. */
#define PLECTL_RELAX_REPEAT_MAX 64

/* Where plectl_boot_block.first_vcpu is, for the code before C. */
#define PLECTL_BOOT_FIRST_VCPU_OFFSET 24

/*
 * Waits are counted by their length in TSC cycles: exactly below 2 * SUB, above in SUB buckets from
 * each power of two to the next, so that a bucket is at most 1 / SUB of what it holds wide. The
 * bucket of w, with s = max(0, floor(log2(w)) - log2(SUB)), is s * SUB + (w >> s); all 64 bits fit.
 */
#define PLECTL_WAIT_SUB_BITS 4
#define PLECTL_WAIT_SUB_BUCKETS 16
#define PLECTL_WAIT_BUCKETS 976

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define PLECTL_STATIC_ASSERT static_assert
#else
#define PLECTL_STATIC_ASSERT _Static_assert
#endif

/* The descriptor of the note "plectl". Sizes in bytes. */
struct plectl_note {
  uint32_t abi_version;
  uint32_t reserved;
  uint64_t boot_block;   /* struct plectl_boot_block */
  uint64_t result_block; /* struct plectl_result_block */
  uint64_t relax_sites;  /* uint64_t addresses of two-byte instructions */
  uint64_t relax_sites_size;
  uint64_t payloads; /* struct plectl_payload */
  uint64_t payloads_size;
  uint64_t wait_histograms; /* struct plectl_wait_histogram, one for each of MAX_VCPUS */
};

/*
 * Flags of the boot block. At most one of these two says when RFLAGS.IF is 0. HOLDING: from just
 * after acquisition to just after release. LOCKING: from before the first try on, as under
 * spin_lock_irqsave() of Linux; a spinner runs its whole measured part so. Without either: never.
 */
#define PLECTL_BOOT_INTERRUPTS_OFF_HOLDING 1u
#define PLECTL_BOOT_INTERRUPTS_OFF_LOCKING 2u
#define PLECTL_BOOT_INTERRUPTS_OFF \
  (PLECTL_BOOT_INTERRUPTS_OFF_HOLDING | PLECTL_BOOT_INTERRUPTS_OFF_LOCKING)
/* hold_tsc_cycles or think_tsc_cycles is the mean of an exponential distribution. */
#define PLECTL_BOOT_HOLD_EXPONENTIAL 4u
#define PLECTL_BOOT_THINK_EXPONENTIAL 8u
#define PLECTL_BOOT_FLAGS 15u /* all of them */

/* Written by the host before the first instruction of the guest. */
struct plectl_boot_block {
  uint32_t magic;
  uint32_t version;
  uint32_t size; /* of this struct */
  uint32_t vcpus;
  uint32_t payload;      /* index into the payload table */
  uint32_t flags;        /* PLECTL_BOOT_* */
  uint32_t first_vcpu;   /* the APIC ID of vCPU 0 */
  uint32_t relax_repeat; /* relax instructions in a row per turn of a wait loop; 1 or more */
  /* One of the two is 0: how often, or until which time after its start, a vCPU does it. */
  uint64_t iterations;
  uint64_t duration_tsc_cycles;
  uint64_t hold_tsc_cycles;
  uint64_t think_tsc_cycles;
  uint64_t body_loops;
  /*
   * What a relax instruction costs where each instruction is one cycle, itself included: 0 (nothing
   * is added to it) or MIN to MAX above. For the lab, whose PAUSE takes one cycle.
   */
  uint64_t relax_tsc_cycles;
  uint64_t random_seed; /* with the APIC ID it decides all that is random on a vCPU */
  uint64_t reserved[5];
};

/* Excludes: the protected counter must equal the sum of the acquisitions. Implies ROUNDS. */
#define PLECTL_PAYLOAD_LOCK 1u
/* Each vCPU executes at least `iterations` relax instructions, and takes no lock. */
#define PLECTL_PAYLOAD_SPINNER 2u
/* Honours PLECTL_BOOT_INTERRUPTS_OFF_*: a lock both of them, a spinner LOCKING. */
#define PLECTL_PAYLOAD_INTERRUPTS_OFF 4u
/*
 * Each vCPU does `iterations` of something that it waits for: they are its acquisitions, and each
 * wait is in its histogram.
 */
#define PLECTL_PAYLOAD_ROUNDS 8u
/* What else of the boot block it honours: hold_*, think_*, duration, and in its wait loops
 * body_loops and relax_repeat. */
#define PLECTL_PAYLOAD_HOLDS 16u
#define PLECTL_PAYLOAD_THINKS 32u
#define PLECTL_PAYLOAD_DURATION 64u
#define PLECTL_PAYLOAD_BODY_LOOPS 128u
#define PLECTL_PAYLOAD_RELAX_REPEAT 256u
/* Makes random choices of its own. */
#define PLECTL_PAYLOAD_RANDOM 512u

#ifdef PLECTL_GUEST
struct vcpu;
typedef void (*plectl_guest_function)(struct vcpu* vcpu);
#else
typedef uint64_t plectl_guest_function;
#endif

/* One payload as the ELF describes it; the host knows no payload by heart. */
struct plectl_payload {
  char name[PLECTL_NAME_SIZE]; /* [a-z0-9_]+ */
  uint32_t min_vcpus;
  uint32_t flags;
  /* What plectl_vcpu_result.extra[i] means; an empty name ends the list. */
  char extra_names[PLECTL_MAX_EXTRAS][PLECTL_NAME_SIZE];
  plectl_guest_function prepare; /* before the start barrier; may be 0 */
  plectl_guest_function run;     /* the measured part */
  plectl_guest_function finish;  /* after it, before DONE; may be 0 */
};

enum plectl_vcpu_state {
  PLECTL_VCPU_OFF = 0,
  PLECTL_VCPU_RUNNING = 1, /* past the start barrier */
  PLECTL_VCPU_DONE = 2,
};

/* What one vCPU reports. Zero where the payload does not measure a field. */
struct plectl_vcpu_result {
  uint32_t state; /* enum plectl_vcpu_state */
  uint32_t fault_vector;
  uint64_t fault_error_code;
  uint64_t fault_rip;
  uint64_t acquisitions;
  uint64_t spins; /* executed relax instructions */
  uint64_t tsc_start;
  uint64_t tsc_end;
  uint64_t wait_tsc_cycles_total;
  uint64_t wait_tsc_cycles_max;
  uint64_t extra[PLECTL_MAX_EXTRAS];
  /* With PLECTL_ABORT_EXCLUSION: 1 + the vCPU that was also inside, or 0 when the lock was left. */
  uint32_t other_owner;
  uint32_t reserved_0;
  uint64_t contended; /* acquisitions that had to wait: executed a relax instruction or more */
  uint64_t reserved[5];
};

struct plectl_result_block {
  uint32_t magic;
  uint32_t version;
  uint32_t size; /* of this struct */
  uint32_t reserved[13];
  /* Both are written without atomicity inside the critical section, in a cache line of their own.
   */
  uint64_t protected_counter;
  uint64_t owner; /* 1 + the vCPU inside; 0: none */
  uint64_t padding[6];
  struct plectl_vcpu_result vcpus[PLECTL_MAX_VCPUS];
};

/* How often one vCPU waited how long: PLECTL_WAIT_*. Fills whole pages, so that none is shared. */
struct plectl_wait_histogram {
  uint64_t counts[PLECTL_WAIT_BUCKETS];
  uint64_t padding[1024 - PLECTL_WAIT_BUCKETS];
};

PLECTL_STATIC_ASSERT(sizeof(struct plectl_note) == 64, "note layout");
PLECTL_STATIC_ASSERT(sizeof(struct plectl_boot_block) == 128, "boot block layout");
PLECTL_STATIC_ASSERT(offsetof(struct plectl_boot_block, first_vcpu) ==
                         PLECTL_BOOT_FIRST_VCPU_OFFSET,
                     "boot block layout");
PLECTL_STATIC_ASSERT(offsetof(struct plectl_boot_block, iterations) == 32, "boot block layout");
PLECTL_STATIC_ASSERT(sizeof(struct plectl_payload) == 320, "payload layout");
PLECTL_STATIC_ASSERT(offsetof(struct plectl_payload, prepare) == 296, "payload layout");
PLECTL_STATIC_ASSERT(sizeof(struct plectl_vcpu_result) == 192, "vCPU result layout");
PLECTL_STATIC_ASSERT(offsetof(struct plectl_vcpu_result, extra) == 72, "vCPU result layout");
PLECTL_STATIC_ASSERT(offsetof(struct plectl_result_block, protected_counter) == 64, "own line");
PLECTL_STATIC_ASSERT(offsetof(struct plectl_result_block, vcpus) == 128, "own line");
PLECTL_STATIC_ASSERT(sizeof(struct plectl_result_block) == 128 + 64 * 192, "result layout");
PLECTL_STATIC_ASSERT(PLECTL_WAIT_SUB_BUCKETS == 1 << PLECTL_WAIT_SUB_BITS, "log2");
PLECTL_STATIC_ASSERT(PLECTL_WAIT_BUCKETS ==
                         (64 - PLECTL_WAIT_SUB_BITS + 1) * PLECTL_WAIT_SUB_BUCKETS,
                     "all 64 bits");
PLECTL_STATIC_ASSERT(sizeof(struct plectl_wait_histogram) == 8192, "whole pages");

#endif /* __ASSEMBLER__ */
