#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lab seeds are exchangeable draws: two groups of 20 seeds of one plan, and the same point in ten plans that
differ in comments, names and order, do not differ beyond chance, and the spread over seeds is that over plans.
PLECTL_SEEDS_OF_A_PLAN (10) sets how many seeds each of the ten plans gets."""

import itertools
import os
import random
import statistics

import lab_harness

SEEDS_OF_A_PLAN = int(os.environ.get("PLECTL_SEEDS_OF_A_PLAN", "10"))
POINT = "{payload: ttas, vcpus: 4, cpus: [0], hold_tsc_cycles: 3000, iterations: 2500}"
OTHERS = ["{payload: pause_storm, vcpus: 1, cpus: [0], iterations: 1000}",
          "{payload: ticket, vcpus: 2, cpus: [0], iterations: 20}"]
LEVEL = 0.01
RED_AT_MOST = 0.05
PATIENCE = ("--lab-boot-deadline-s", "1500", "--lab-silence-deadline-s", "1500")


def plan(name, seeds, comment="", before=(), after=()):
    workloads = [*before, POINT, *after]
    lines = "".join(f"  - {workload}\n" for workload in workloads)
    return (f"{comment}name: {name}\narms: [pause]\nlab_seeds: [{', '.join(map(str, seeds))}]\n"
            f"params: {{ple_gap: 128, ple_window: 4096}}\nworkloads:\n{lines}")


def ten_plans(seeds):
    """The same point among others, under other names, after comments of other lengths."""
    comments = ["", "# a\n", "# another comment\n", "# " + "long " * 200 + "\n"]
    return [plan("p" * (1 + 3 * i), seeds, comments[i % 4], OTHERS[:i % 3],
                 OTHERS[i % 3:] if i % 4 < 2 else ()) for i in range(10)]


def p_value(left, right, draws=4000):
    """Two-sided, of the difference of means, by permutation of which group a draw belongs to."""
    pool = [*left, *right]
    seen = abs(statistics.fmean(left) - statistics.fmean(right))
    shuffle = random.Random(1)
    extreme = 1
    for _ in range(draws):
        shuffle.shuffle(pool)
        first, second = pool[:len(left)], pool[len(left):]
        extreme += abs(statistics.fmean(first) - statistics.fmean(second)) >= seen - 1e-9
    return extreme / (draws + 1)


def figures(trials):
    """Of the point's trials: what a report would show."""
    at_point = [trial for trial in trials if trial["workload"]["payload"] == "ttas"]
    return {"pause_exits": [trial["pause_exits"] for trial in at_point],
            "throughput_per_s": [trial["throughput_per_s"] for trial in at_point],
            "elapsed_tsc_cycles": [trial["elapsed_tsc_cycles"] for trial in at_point],
            "kvm_exits_total": [trial["kvm_exits_total"] for trial in at_point],
            "spins": [sum(vcpu.get("spins", 0) for vcpu in trial["vcpus"]) for trial in at_point]}


class Seeds(lab_harness.LabTest):
    def draws(self, text, name):
        trials = self.sweep_in_lab(text, *PATIENCE, out=name)
        return figures(trials)

    def test_seeds_and_plans_are_exchangeable(self):
        one = self.draws(plan("forty", range(40)), "forty")
        ten = [self.draws(text, f"plan{i}") for i, text in enumerate(ten_plans(range(SEEDS_OF_A_PLAN)))]
        pairs = [(key, one[key][:20], one[key][20:]) for key in one]
        pairs += [(key, left[key], right[key]) for key in one
                  for left, right in itertools.combinations(ten, 2)]
        p_values = [p_value(left, right) for _, left, right in pairs]
        red = [pair for pair, p in zip(pairs, p_values) if p < LEVEL]
        for key in one:
            self.print_spread(key, one[key], [group[key] for group in ten])
        print(f"{len(pairs)} pairs, {len(red)} red at {LEVEL:.0%}, "
              f"{sum(p < 0.05 for p in p_values)} at 5%")
        self.assertLessEqual(len(red), RED_AT_MOST * len(pairs), [pair[0] for pair in red])
        exits = one["pause_exits"]
        self.assertGreater(len(set(exits)), len(exits) // 2, "seeds repeat each other")
        for key in one:
            self.check_spread([group[key] for group in ten])

    def print_spread(self, key, one, ten):
        mean = statistics.fmean(one)
        over_plans = statistics.fmean(statistics.stdev(draws) for draws in zip(*ten))
        over_seeds = statistics.fmean(map(statistics.stdev, ten))
        print(f"{key}: mean {mean:.0f}, of plans {[round(statistics.fmean(g)) for g in ten]}; "
              f"sd 40 seeds {statistics.stdev(one) / mean:.2%}, seeds of a plan {over_seeds / mean:.2%}, "
              f"plans of a seed {over_plans / mean:.2%}")

    def check_spread(self, ten):
        """The same draws, grouped by plan or by seed: neither grouping may explain anything."""
        seen = statistics.fmean(map(statistics.variance, zip(*ten))) / statistics.fmean(
            map(statistics.variance, ten))
        pool = list(itertools.chain(*ten))
        shuffle = random.Random(2)
        ratios = []
        for _ in range(1000):
            shuffle.shuffle(pool)
            again = [pool[i::len(ten)] for i in range(len(ten))]
            ratios.append(statistics.fmean(map(statistics.variance, zip(*again))) /
                          statistics.fmean(map(statistics.variance, again)))
        ratios.sort()
        self.assertGreater(seen, ratios[1])
        self.assertLess(seen, ratios[-2])


if __name__ == "__main__":
    lab_harness.main()
