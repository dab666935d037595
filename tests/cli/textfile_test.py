#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two runs of one plan as textfiles in one folder: node_exporter serves both, each series once."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "tests/lab"))
import prometheus_tools as tools  # noqa: E402  pylint: disable=wrong-import-position

PLECTL = os.environ["PLECTL"]
REFUSED = "collected before with the same name and label values"
RUN = SOURCE / "tests/fixtures/runs/lab_seeds"


def without_file(samples, file):
    """Those of one textfile, without the label that tells it apart."""
    return {(name, frozenset(label for label in labels if label[0] != "textfile")): value
            for (name, labels), value in samples.items() if ("textfile", file) in labels}


class Textfiles(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("first", "second"):
            subprocess.run([PLECTL, "export", RUN, "--to", "textfile",
                            self.folder / f"{name}.prom"], check=True, timeout=60)

    def text(self, name):
        return (self.folder / f"{name}.prom").read_text(encoding="utf-8")

    def test_no_series_is_twice_there(self):
        both = tools.parse(self.text("first") + self.text("second"))
        first = without_file(both, "first")
        self.assertGreater(len(first), 100)
        self.assertEqual(first.keys(), without_file(both, "second").keys())

    def test_node_exporter_serves_both(self):
        port = tools.free_port()
        url = f"http://127.0.0.1:{port}/metrics"
        log = self.folder / "node.log"
        tools.Daemon(self, log, tools.program("prometheus-node-exporter"),
                     f"--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults",
                     "--collector.textfile", f"--collector.textfile.directory={self.folder}")
        samples = tools.wait_for(lambda: tools.parse(tools.get(url)))
        self.assertEqual(samples["node_textfile_scrape_error", frozenset()], 0)
        expected = without_file(tools.parse(self.text("first")), "first")
        for name in ("first", "second"):
            self.assertEqual(without_file(samples, name).keys(), expected.keys())
        # It would tell: a copy holds equal series.
        shutil.copy(self.folder / "first.prom", self.folder / "copy.prom")
        self.assertNotIn(REFUSED, log.read_text(encoding="utf-8"))
        tools.get(url)
        tools.wait_for(lambda: REFUSED in log.read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
