# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus programs for tests: unpacked, never installed, since their packages would
start services; and what is needed to ask them."""

import contextlib
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import lab_harness

sys.path.insert(0, str(lab_harness.SOURCE / "bench"))
import lab_programs  # pylint: disable=wrong-import-position

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
SAMPLE = re.compile(r'^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)",?')
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def program(name, package=None):
    """The path of a program of Debian's package of that name (or of `package`, where a newer Debian
    has split it off)."""
    path = lab_programs.unpacked(package or name, alone=True) / "usr/bin" / name
    return path if path.exists() else lab_programs.unpacked(name, alone=True) / "usr/bin" / name


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url, timeout_s=10):
    with OPENER.open(url, timeout=timeout_s) as answer:
        return answer.read().decode()


def wait_for(what, limit_s=60, pause_s=0.1):
    """What `what` returns as soon as that is true; errors of connections are no answer."""
    end = time.monotonic() + limit_s
    while True:
        with contextlib.suppress(OSError):
            if found := what():
                return found
        if time.monotonic() > end:
            raise TimeoutError(f"waited {limit_s} s for {what}")
        time.sleep(pause_s)


def parse(text):
    """{(name, frozenset of labels): value} of the text format; a series that is twice there fails."""
    samples = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        if not match:
            raise ValueError(f"no sample: {line}")
        labels = frozenset((name, re.sub(r"\\.", lambda m: ESCAPES[m[0]], value))
                           for name, value in LABEL.findall(match["labels"] or ""))
        key = (match["name"], labels)
        if key in samples:
            raise ValueError(f"twice there: {line}")
        samples[key] = float(match["value"])
    return samples


def check_metrics(test, text):
    """promtool finds nothing to say."""
    done = subprocess.run([program("promtool", "prometheus"), "check", "metrics"], input=text,
                          text=True, capture_output=True, timeout=60)
    test.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


class Daemon:
    """A program that runs until the test ends; its output is in `log`."""

    def __init__(self, test, log, *command):
        self.log = pathlib.Path(log)
        with self.log.open("w") as out:
            process = subprocess.Popen([str(word) for word in command], stdout=out,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                       cwd=self.log.parent)
        self.process = process
        test.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Prometheus(Daemon):
    """Scrapes `targets` {job: HOST:PORT} many times a second."""

    def __init__(self, test, directory, targets, interval_ms=250):
        port = free_port()
        config = [f"global: {{scrape_interval: {interval_ms}ms, scrape_timeout: {interval_ms}ms}}",
                  "scrape_configs:"]
        for job, target in targets.items():
            config.append(f"  - {{job_name: {job}, static_configs: [{{targets: ['{target}']}}]}}")
        (directory / "prometheus.yml").write_text("\n".join(config) + "\n")
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(test, directory / "prometheus.log", program("prometheus"),
                         "--config.file", directory / "prometheus.yml",
                         "--storage.tsdb.path", directory / "tsdb",
                         "--web.listen-address", f"127.0.0.1:{port}")
        wait_for(lambda: get(self.url + "/-/ready"))

    def query(self, expression):
        """{frozenset of labels: value} of an instant query; `instance` and `job` aside."""
        text = get(f"{self.url}/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        answer = json.loads(text)
        if answer["status"] != "success":
            raise ValueError(text)
        return {frozenset((name, value) for name, value in result["metric"].items()
                          if name not in ("instance", "job")): float(result["value"][1])
                for result in answer["data"]["result"]}


class OnePage:
    """Serves `text` with `content_type`, once there is one, to who asks."""

    def __init__(self, test, content_type):
        page = self
        self.text = None

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                self.send_response(200 if page.text else 503)
                self.send_header("Content-Type", content_type)
                self.end_headers()
                self.wfile.write((page.text or "").encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        test.addCleanup(server.server_close)
        test.addCleanup(server.shutdown)
