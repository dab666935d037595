#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A sweep in the lab, scraped by Debian's Prometheus while it runs and rude clients disturb; then
its run in the textfile collector, the Pushgateway and as OpenMetrics. Each value is compared with
run.jsonl."""

import base64
import re
import socket
import threading
import urllib.error
import urllib.request

import dashboards
import lab_harness
import prometheus_tools as tools

PLAN = """name: metrics_of-runs.1
seed: 1
blocks: 1
arms: [pause, nop]
params: {ple_window: [1024, 4096], ple_window_grow: 0}
workloads:
  - {payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: 2000, iterations: 4000}
  - {payload: pause_loop, vcpus: 1, cpus: [0], iterations: 20000}
"""
RUN = "metrics_of-runs.1"
TRIALS = 8
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def expected_samples(lines):
    """{(name, its labels beside run and the trial's other ones): value} that a run log stands for.

    Made from run.jsonl alone; `point` is left out, which only has to be one per point."""
    samples = {}
    trials = [line for line in lines if line["kind"] == "trial"]
    for trial in (trial for trial in trials if trial["valid"]):
        def add(figure, value, trial=trial, **more):
            key = {"trial": trial["id"], "block": str(trial["block"]), "arm": trial["arm"], **more}
            name = f"plectl_trial_{figure}"
            if isinstance(value, dict) or value is None:
                key["figure"] = figure
                name, value = "plectl_trial_missing", 1
            samples[name, frozenset(key.items())] = value

        add("valid", 1)
        add("records", sum(other["id"] == trial["id"] for other in trials))
        add("disturbed", int("disturbed_because" in trial))
        add("not_contended", int("not_contended_because" in trial))
        add("pause_exits", trial["pause_exits"])
        add("kvm_exits", trial["kvm_exits_total"])
        add("window_updates", trial["window_updates"])
        add("window_changes", trial["window_growths"], direction="grow")
        add("window_changes", trial["window_shrinks"], direction="shrink")
        for reason, count in trial["exits"].items():
            add("exits", count, reason=reason)
        add("throughput_rounds_per_second", trial["throughput_per_s"])
        add("fairness_jain", trial.get("fairness_jain"))
        add("reload_seconds", trial["timings"]["params_ns"] / 1e9)
        add("run_seconds", trial["timings"]["run_ns"] / 1e9)
        tsc_hz = trial["tsc_khz"] * 1e3
        add("elapsed_seconds", trial["elapsed_tsc_cycles"] / tsc_hz)
        waits = trial.get("wait_tsc_cycles")
        if waits is None:
            add("wait_seconds", None)
            continue
        for quantile, name in (("0.5", "p50"), ("0.99", "p99"), ("0.999", "p99_9"), ("1", "max")):
            add("wait_seconds", waits[name] / tsc_hz, quantile=quantile)
        add("wait_seconds_count", sum(vcpu["acquisitions"] for vcpu in trial["vcpus"]))
        add("wait_seconds_sum",
            sum(vcpu["wait_tsc_cycles_total"] for vcpu in trial["vcpus"]) / tsc_hz)
    return samples


def trial_samples(samples):
    """Those of single trials, without the labels that expected_samples() leaves out."""
    left_out = {"run", "point", "instance", "job", "textfile"}
    found = {}
    for (name, labels), value in samples.items():
        if name.startswith("plectl_trial_"):
            key = {(label, "1" if label == "quantile" and text == "1.0" else text)
                   for label, text in labels if label not in left_out}
            found[name, frozenset(key)] = value
    return found


class Rude(threading.Thread):
    """Clients that hold connections, send a byte now and then, or garbage, until stopped."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.stopped = threading.Event()
        self.sent = 0

    def run(self):
        held = []
        while not self.stopped.is_set():
            try:
                client = socket.create_connection(("127.0.0.1", self.port), timeout=1)
                client.sendall((b"GET /metrics HTTP/1.1\r\nX: ", b"\xff\0garbage\r\n\r\n",
                                b"")[self.sent % 3])
                held.append(client)
                self.sent += 1
                if len(held) > 8:
                    held.pop(0).close()
            except OSError:
                pass
            self.stopped.wait(0.05)
        for client in held:
            client.close()


class MetricsOfRuns(lab_harness.LabTest):
    def assert_holds_the_run(self, samples):
        found = trial_samples(samples)
        self.assertEqual(found.keys(), self.expected.keys())
        for key, value in self.expected.items():
            self.assertAlmostEqual(found[key], value, delta=abs(value) * 1e-12, msg=str(key))
        self.assertEqual({dict(labels)["run"] for (name, labels) in samples
                          if name.startswith("plectl_")}, {RUN})

    def start_sweep(self, *options, port=0):
        self.write("plan.yaml", PLAN)
        sweep = tools.Daemon(
            self, self.directory / "sweep.log", lab_harness.PLECTL, "sweep", "plan.yaml",
            "--host", "lab", "--out", "out", "--progress", "plain", "--metrics-listen", port,
            "--metrics-linger", "120", *options)

        def url():
            text = sweep.log.read_text()
            self.assertIsNone(sweep.process.poll(), text)
            return re.search(r"^metrics: (\S+)$", text, re.M)
        return sweep, tools.wait_for(url)[1]

    def test_values_are_those_of_the_run_log(self):
        page = tools.OnePage(self, OPENMETRICS)
        port = tools.free_port()
        prometheus = tools.Prometheus(self, self.directory, {"sweep": f"127.0.0.1:{port}",
                                                             "openmetrics": page.address})
        # It looks for its targets only every 5 s.
        tools.wait_for(lambda: prometheus.query('up{job="sweep"}'))
        sweep, _ = self.start_sweep(port=port)
        rude = Rude(port)
        rude.start()
        self.watch_the_sweep(sweep, prometheus)
        rude.stopped.set()
        rude.join()
        self.assertGreater(rude.sent, 10)
        lines = lab_harness.read_lines(self.directory / "out")
        self.expected = expected_samples(lines)
        self.check_scraped(prometheus, lines)
        self.check_openmetrics(prometheus, page)
        self.check_textfile()
        self.check_pushgateway()
        self.check_resumed()

    def watch_the_sweep(self, sweep, prometheus):
        def ended():
            if sweep.process.poll() not in (None, 0):
                raise AssertionError(sweep.log.read_text())
            return 0 in prometheus.query("last_over_time(plectl_sweep_running[15m])").values()
        tools.wait_for(ended, limit_s=600)
        self.assertEqual(sweep.process.wait(timeout=60), 0, sweep.log.read_text())
        # It was scraped while it ran, not only at the end.
        for expression in ("max_over_time(plectl_sweep_running[15m]) == 1",
                           "min_over_time(plectl_sweep_progress_ratio[15m]) < 1",
                           "max_over_time(plectl_sweep_progress_ratio[15m]) == 1"):
            self.assertEqual(len(prometheus.query(expression)), 1, expression)

    def check_scraped(self, prometheus, lines):
        scraped = {}
        for labels, value in prometheus.query(
                'last_over_time({__name__=~"plectl_.+", job="sweep"}[15m])').items():
            labels = dict(labels)
            scraped[labels.pop("__name__"), frozenset(labels.items())] = value
        self.assert_holds_the_run(scraped)
        dashboards.check_exported(self, {name for name, _ in scraped}, of_sweeps=True)
        one = {(name, *(text for label, text in sorted(labels) if label != "run")): value
               for (name, labels), value in scraped.items()}
        self.assertEqual(one["plectl_run_trials", "planned"], TRIALS)
        self.assertEqual(one["plectl_run_trials", "valid"], TRIALS)
        self.assertEqual(one["plectl_sweep_trials", "remaining"], 0)
        self.assertEqual(one["plectl_sweep_eta_seconds",], 0)
        reloads = [trial["timings"]["params_ns"] for trial in lines
                   if trial["kind"] == "trial" and trial["timings"]["reloads"] > 0]
        self.assertEqual(one["plectl_sweep_reloads_total",],
                         sum(trial["timings"]["reloads"] for trial in lines
                             if trial["kind"] == "trial"))
        self.assertAlmostEqual(one["plectl_sweep_reload_seconds_sum",], sum(reloads) / 1e9)
        for control in (line for line in lines if line["kind"] == "control"):
            if "missing_because" not in control:
                self.assertEqual(one["plectl_control_passed", control["name"]],
                                 int(control["passed"]))
        self.check_points(prometheus, lines)

    def check_points(self, prometheus, lines):
        """PromQL joins a trial with its point's settings."""
        joined = prometheus.query(
            "last_over_time(plectl_trial_pause_exits[15m]) * on (run, point) group_left "
            "(ple_window, payload) last_over_time(plectl_point_info[15m])")
        found = {(dict(labels)["trial"], dict(labels)["ple_window"], dict(labels)["payload"]): value
                 for labels, value in joined.items()}
        self.assertEqual(found, {
            (trial["id"], str(trial["params"]["ple_window"]), trial["workload"]["payload"]):
            trial["pause_exits"] for trial in lines if trial["kind"] == "trial" and trial["valid"]})

    def check_openmetrics(self, prometheus, page):
        text = self.plectl("export", "out", "--to", "openmetrics", "-").stdout
        self.assertTrue(text.endswith("\n# EOF\n"))
        page.text = text
        tools.wait_for(lambda: prometheus.query('plectl_run_info{job="openmetrics"}'))
        self.assertEqual(prometheus.query('up{job="openmetrics"}'), {
            frozenset({("__name__", "up")}): 1})
        scraped = {}
        for labels, value in prometheus.query('{__name__=~"plectl_.+", job="openmetrics"}').items():
            labels = dict(labels)
            scraped[labels.pop("__name__"), frozenset(labels.items())] = value
        self.assert_holds_the_run(scraped)

    def check_textfile(self):
        folder = self.directory / "textfile"
        folder.mkdir()
        self.plectl("export", "out", "--to", "textfile", folder / "plectl.prom")
        tools.check_metrics(self, (folder / "plectl.prom").read_text())
        port = tools.free_port()
        tools.Daemon(self, self.directory / "node.log", tools.program("prometheus-node-exporter"),
                     f"--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults",
                     "--collector.textfile", f"--collector.textfile.directory={folder}")
        samples = tools.wait_for(lambda: tools.parse(tools.get(f"http://127.0.0.1:{port}/metrics")))
        self.assertEqual(samples["node_textfile_scrape_error", frozenset()], 0)
        self.assert_holds_the_run(samples)

    def check_pushgateway(self):
        port = tools.free_port()
        url = f"http://127.0.0.1:{port}"
        away = self.plectl("export", "out", "--to", "pushgateway", url, exit_code=3)
        self.assertIn("connect", away.stderr)
        tools.Daemon(self, self.directory / "push.log", tools.program("prometheus-pushgateway"),
                     f"--web.listen-address=127.0.0.1:{port}")
        tools.wait_for(lambda: tools.get(url + "/-/ready"))
        self.check_refusal(url)
        for _ in range(2):  # the same group again: replaced, not added
            self.plectl("export", "out", "--to", "pushgateway", url, "--grouping", "ci=a/b")
        samples = tools.parse(tools.get(url + "/metrics"))
        groups = {tuple(sorted((label, text) for label, text in labels
                               if label in ("job", "instance", "run", "ci")))
                  for (name, labels) in samples if name.startswith("plectl_trial_")}
        self.assertEqual(groups, {(("ci", "a/b"), ("instance", socket.gethostname()),
                                   ("job", "plectl"), ("run", RUN))})
        self.assert_holds_the_run({
            (name, frozenset(label for label in labels if label[0] != "ci")): value
            for (name, labels), value in samples.items()})

    def check_resumed(self):
        """A session that finds nothing to do serves what the others measured, to who may see it."""
        secret = self.write("secret", "prometheus:password\n")
        secret.chmod(0o600)
        sweep, url = self.start_sweep("--metrics-basic-auth-file", secret)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            tools.get(url)
        self.assertEqual(refused.exception.code, 401)
        refused.exception.close()
        secret = base64.b64encode(b"prometheus:password").decode()
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {secret}"})

        def ended():
            with tools.OPENER.open(request, timeout=10) as answer:
                text = answer.read().decode()
            return text if f'plectl_sweep_running{{run="{RUN}"}} 0\n' in text else None
        text = tools.wait_for(ended)
        self.assertEqual(sweep.process.wait(timeout=30), 0, sweep.log.read_text())
        tools.check_metrics(self, text)
        samples = tools.parse(text)
        self.assert_holds_the_run(samples)
        self.assertEqual(samples["plectl_sweep_progress_ratio", frozenset({("run", RUN)})], 1)
        self.assertNotIn(("plectl_sweep_eta_seconds", frozenset({("run", RUN)})), samples)

    def check_refusal(self, url):
        """What the gateway says against a push is passed on."""
        def other(method, data=None):
            request = urllib.request.Request(url + "/metrics/job/other", data, method=method)
            tools.OPENER.open(request, timeout=10).close()
        other("PUT", b"# TYPE plectl_run_trials counter\nplectl_run_trials 1\n")
        refused = self.plectl("export", "out", "--to", "pushgateway", url, exit_code=3)
        self.assertRegex(refused.stderr, "(?s)answered 400: .*plectl_run_trials")
        other("DELETE")


if __name__ == "__main__":
    lab_harness.main()
