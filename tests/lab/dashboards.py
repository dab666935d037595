# SPDX-License-Identifier: Apache-2.0
"""The Prometheus rules and the Grafana dashboard that plectl ships, and which metrics they ask for."""

import json
import re

import lab_harness

RULES = lab_harness.SOURCE / "scripts/prometheus/plectl_rules.yml"
DASHBOARD = lab_harness.SOURCE / "scripts/grafana/plectl_dashboard.json"
NAME = re.compile(r"\bplectl_[a-z0-9_]+")
RECORDED = re.compile(r"\b(?:vm|instance):plectl_[a-z0-9_:]+")
OF_SWEEPS = ("plectl_sweep_", "plectl_run_", "plectl_trial_", "plectl_point_", "plectl_control_")


def expressions_of(value):
    """All queries anywhere in a dashboard: of panels, annotations and variables."""
    if isinstance(value, list):
        for item in value:
            yield from expressions_of(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("expr", "query") and isinstance(item, str) and "plectl_" in item:
                yield item
            else:
                yield from expressions_of(item)


def queries():
    return list(expressions_of(json.loads(DASHBOARD.read_text(encoding="utf-8"))))


def rules():
    return RULES.read_text(encoding="utf-8")


def asked_for(of_sweeps):
    """The metrics of plectl's that a query or a rule names: those of sweeps, or the monitor's."""
    text = RECORDED.sub("", "\n".join([*queries(), re.sub(r"(?m)^ *#.*$", "", rules())]))
    return {name for name in NAME.findall(text) if name.startswith(OF_SWEEPS) == of_sweeps
            and not name.startswith(("plectl_recording", "plectl_alerts"))}


def check_exported(test, names, of_sweeps):
    """No query names a metric that is not among `names`, of all samples of a scrape."""
    wanted = asked_for(of_sweeps)
    test.assertGreater(len(wanted), 5)
    test.assertEqual(wanted - set(names), set())
