#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Prometheus rules pass promtool's tests, each query of the Grafana dashboard is PromQL, and the
monitor's endpoint is scraped by Debian's Prometheus. That the metrics asked for exist is checked where
they are real: in metrics_runs_test.py and monitor_test.py. Needs no lab."""

import json
import re
import subprocess

import dashboards
import lab_harness
import prometheus_tools as tools


def promtool(*arguments):
    return subprocess.run([tools.program("promtool", "prometheus"), *arguments],
                          capture_output=True, text=True, check=False)


class Dashboards(lab_harness.LabTest):
    def promtool_agrees(self, *arguments):
        done = promtool(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_rules_are_valid_and_do_what_they_say(self):
        self.promtool_agrees("check", "rules", dashboards.RULES)
        self.promtool_agrees("test", "rules", dashboards.RULES.with_name("plectl_rules_test.yml"))

    def test_each_query_is_promql(self):
        queries = dashboards.queries()
        self.assertGreater(len(queries), 30)
        rules = "groups:\n- name: queries\n  rules:\n"
        for i, query in enumerate(queries):
            if query.startswith("label_values("):
                query = re.match(r"label_values\((.*), \w+\)$", query)[1]
            query = query.replace("$__rate_interval", "5m")
            rules += f"  - record: query{i}\n    expr: {json.dumps(query)}\n"
        self.promtool_agrees("check", "rules", self.write("queries.yml", rules))

    def test_no_query_names_a_series_that_no_rule_records(self):
        recorded = set(re.findall(r"record: (\S+)", dashboards.rules()))
        for text in [*dashboards.queries(), dashboards.rules()]:
            self.assertEqual(set(dashboards.RECORDED.findall(text)) - recorded, set(), text)

    def test_panels_have_ids_of_their_own_and_do_not_overlap(self):
        panels = json.loads(dashboards.DASHBOARD.read_text(encoding="utf-8"))["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        cells = set()
        for place in (panel["gridPos"] for panel in panels):
            self.assertLessEqual(place["x"] + place["w"], 24)
            mine = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                    for y in range(place["y"], place["y"] + place["h"])}
            self.assertEqual(mine & cells, set(), place)
            cells |= mine

    def test_prometheus_scrapes_a_monitor(self):
        """Without probes, which need KVM: what it is, and that it is well."""
        port = tools.free_port()
        monitor = tools.Daemon(self, self.directory / "monitor.log", lab_harness.PLECTL, "monitor",
                               "--probes", "off", "--listen", port)
        page = tools.wait_for(lambda: tools.get(f"http://127.0.0.1:{port}/metrics"))
        tools.check_metrics(self, page)
        prometheus = tools.Prometheus(self, self.directory, {"plectl-monitor": f"127.0.0.1:{port}"})
        self.assertEqual(tools.wait_for(lambda: prometheus.query("up == 1")),
                         {frozenset({("__name__", "up")}): 1})
        for query in ("plectl_monitor_build_info",
                      'plectl_monitor_healthy{component="vms"} == 1',
                      'plectl_monitor_scrapes_total{result="complete"} > 1'):
            self.assertEqual(len(tools.wait_for(lambda query=query: prometheus.query(query))), 1)
        monitor.end()
        self.assertEqual(monitor.process.returncode, 0, monitor.log.read_text())


if __name__ == "__main__":
    lab_harness.main()
