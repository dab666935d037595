#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Guests that break the contract: each gets an error that says what it did, and no harm is done.

PLECTL_HOSTILE_GUEST and PLECTL_WRONG_ABI_GUEST are the payload ELFs of tests/payloads.
"""

import os
import pathlib
import random

import lab_harness

HOSTILE_GUEST = pathlib.Path(os.environ["PLECTL_HOSTILE_GUEST"])
WRONG_ABI_GUEST = pathlib.Path(os.environ["PLECTL_WRONG_ABI_GUEST"])
SEED = 5
MUTANTS = 100 if lab_harness.FULL else 8

# Payload -> what its record must say. Each names the exit reason and RIP.
RIP = r"RIP 0x[0-9a-f]+"
EXPECTED = {
    "hostile_hang": r"did not end within its deadline of 400 ms; vCPU 0: KVM_EXIT_INTR at " + RIP,
    "hostile_hang_before_sync": r"did not reach the start barrier .* KVM_EXIT_INTR at " + RIP,
    "hostile_triple_fault": r"triple fault \(KVM_EXIT_SHUTDOWN\); " + RIP,
    "hostile_exception": r"exception 6 \(#UD, invalid opcode\) .* at RIP 0x\w+ \(KVM_EXIT_IO\)",
    "hostile_wild_port": r"8-bit write of byte 0x5a at port 0x1234 \(KVM_EXIT_IO\); " + RIP,
    "hostile_wild_command": r"unexpected command 0x77 .* \(KVM_EXIT_IO\); " + RIP,
    "hostile_wild_mmio": r"4-byte write at address 0xd0000000, .* \(KVM_EXIT_MMIO\); " + RIP,
    "hostile_halt": r"did not end within .* KVM_EXIT_INTR at RIP 0x\w+, halted",
    "hostile_garbage_result": r"result block makes no sense: magic is .* KVM_EXIT_IO at " + RIP,
    "hostile_user_exception": r"exception 6 \(#UD, invalid opcode\) .* at RIP 0x\w+",
    "hostile_user_to_kernel": r"exception 14 \(#PF, page fault\) with error code 0x7 at RIP 0x\w+",
    "hostile_user_to_code": r"exception 14 \(#PF, page fault\) with error code 0x7 at RIP 0x\w+",
    "hostile_user_port": r"exception 13 \(#GP, general protection\) .* at RIP 0x\w+",
    "hostile_wild_histogram": r"the sum of wait_histogram is 18446744073709551615, expected 10; ",
    "hostile_lost_count": r"protected_counter is 10, expected 20; .* KVM_EXIT_IO at " + RIP,
}
VIOLATION = r"vCPU \d: the guest aborted: mutual exclusion failed: while it held the lock, "
BROKEN_LOCKS = {
    "broken_check_then_set": VIOLATION + r"(so did vCPU \d|another vCPU came and left)",
    "broken_early_release": VIOLATION + r"(so did vCPU \d|another vCPU came and left)",
}
HEALTHY = ["hostile_nothing"]


def plan_of(payloads, name="hostile"):
    return f"""
name: {name}
deadline_ms: 400
arms: [pause]
params: {{ple_gap: [128]}}
workloads:
  - {{payload: [{", ".join(payloads)}], cpus: [0], vcpus: 2, iterations: 10}}
"""


# Long enough that vCPUs lose the CPU between two instructions of a lock.
BROKEN_LOCKS_PLAN = f"""
name: broken-locks
arms: [pause]
params: {{ple_gap: [128]}}
workloads:
  - {{payload: [{", ".join(BROKEN_LOCKS)}], cpus: [0], vcpus: 2, hold_tsc_cycles: 500,
     iterations: 40000}}
"""


class Hostile(lab_harness.LabTest):
    def test_each_guest_gets_its_error_and_a_healthy_one_still_runs(self):
        self.write("plan.yaml", plan_of([*EXPECTED, *HEALTHY]))
        self.plectl("sweep", "plan.yaml", "--host", "lab", "--out", "out", "--attempts", 1,
                    "--payload-elf", HOSTILE_GUEST, exit_code=5)
        trials = lab_harness.read_trials(self.directory / "out", only_valid=False)
        said = {trial["workload"]["payload"]: trial for trial in trials}
        self.assertEqual(len(trials), len(EXPECTED) + len(HEALTHY))
        for payload, pattern in EXPECTED.items():
            with self.subTest(payload):
                self.assertRegex(said[payload]["invalid_because"], pattern)
        for payload in HEALTHY:
            self.assertTrue(said[payload]["valid"], said[payload])

    def test_the_guest_itself_finds_that_a_lock_does_not_exclude(self):
        self.write("plan.yaml", BROKEN_LOCKS_PLAN)
        self.plectl("sweep", "plan.yaml", "--host", "lab", "--out", "out", "--attempts", 1,
                    "--payload-elf", HOSTILE_GUEST, exit_code=5)
        trials = lab_harness.read_trials(self.directory / "out", only_valid=False)
        self.assertEqual(len(trials), len(BROKEN_LOCKS))
        for trial in trials:
            payload = trial["workload"]["payload"]
            print(f"{payload}: {trial['invalid_because']}")
            self.assertRegex(trial["invalid_because"], BROKEN_LOCKS[payload])

    # Bytes that no ELF check can refuse reach the CPU. Whatever they do there, plectl ends by
    # itself with an exit code of its own, parameters are put back, and the next sweep works.
    def test_mutants_do_no_harm(self):
        elf = HOSTILE_GUEST.read_bytes()
        random_bytes = random.Random(SEED)
        files = {"plan.yaml": plan_of(HEALTHY), "healthy.yaml": plan_of(["ttas"], "healthy")}
        arguments = []
        for name, text in files.items():
            arguments += ["--file", f"{self.write(name, text)}:/job/{name}"]
        for number in range(MUTANTS):
            mutant = bytearray(elf)
            for _ in range(random_bytes.choice([1, 8, 64])):
                mutant[random_bytes.randrange(len(mutant))] = random_bytes.randrange(256)
            path = self.directory / f"mutant{number}"
            path.write_bytes(mutant)
            arguments += ["--file", f"{path}:/job/mutant{number}"]
        script = self.write("script.sh", f"""
plectl params show --format json > /tmp/before
for number in $(seq 0 {MUTANTS - 1}); do
  plectl sweep /job/plan.yaml --out /tmp/run$number --payload-elf /job/mutant$number \\
    --attempts 1 --progress none 2> /tmp/error
  echo "mutant $number: exit code $?: $(head -n 1 /tmp/error)"
done
plectl params show --format json > /tmp/after
cmp /tmp/before /tmp/after || exit 1
plectl sweep /job/healthy.yaml --out /tmp/healthy --progress none && echo healthy
""")
        done = self.plectl("lab", "exec", *arguments, "--file", f"{script}:/job/script.sh", "--",
                           "sh", "/job/script.sh")
        self.assertIn("\nhealthy\n", done.stdout)
        codes = [int(line.split("exit code ")[1].split(":")[0])
                 for line in done.stdout.splitlines() if line.startswith("mutant")]
        self.assertEqual(len(codes), MUTANTS)
        self.assertLessEqual(set(codes), {0, 2, 5}, done.stdout)
        self.assertGreater(sum(code != 0 for code in codes), 0, done.stdout)

    def test_what_the_checks_refuse_never_reaches_the_lab(self):
        self.write("plan.yaml", plan_of(HEALTHY))
        elf = HOSTILE_GUEST.read_bytes()
        files = {"wrong_abi": WRONG_ABI_GUEST.read_bytes(), "empty": b"", "text": b"no ELF at all",
                 "half": elf[:len(elf) // 2], "header": elf[:64]}
        for name, content in files.items():
            with self.subTest(name):
                path = self.directory / name
                path.write_bytes(content)
                done = self.plectl("sweep", "plan.yaml", "--host", "lab", "--out", "out",
                                   "--payload-elf", path, exit_code=2)
                self.assertIn(str(path), done.stderr)
                if name == "wrong_abi":
                    self.assertRegex(done.stderr, "ABI version 99")
        self.assertFalse((self.directory / "out").exists())


if __name__ == "__main__":
    lab_harness.main()
