#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The endpoint of metrics against clients that are slow, rude, or not allowed.

PLECTL_SERVE_METRICS names tests/metrics/serve_metrics; in the sanitize build any report of the
sanitizers ends it with another exit code than 0."""

import base64
import gzip
import os
import pathlib
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
import warnings

SERVER = os.environ["PLECTL_SERVE_METRICS"]
SERIES = 200
SCRAPE_S = 10  # Prometheus' own default for a scrape
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Server:
    """One that runs; `with` ends it and checks that it ended well."""

    def __init__(self, test, *arguments, listen=":0"):
        self.test = test
        self.process = subprocess.Popen([SERVER, listen, *map(str, arguments)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise AssertionError(self.process.communicate()[1])
        self.host, port = self.url.split("/")[2].rsplit(":", 1)
        self.port = int(port)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            _, errors = self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if kind is None:
            self.test.assertEqual((self.process.returncode, errors), (0, ""))

    def connect(self):
        return socket.create_connection((self.host.strip("[]"), self.port), timeout=SCRAPE_S)

    def scrape(self, headers=(), context=None, url=None):
        request = urllib.request.Request(url or self.url, headers=dict(headers))
        if context:
            answer = urllib.request.urlopen(request, timeout=SCRAPE_S, context=context)
        else:
            answer = OPENER.open(request, timeout=SCRAPE_S)
        with answer:
            return answer.headers, answer.read()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def status_of(call):
    try:
        call()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    return 200


def basic(text):
    return {"Authorization": "Basic " + base64.b64encode(text).decode()}


class ServerTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="plectl-metrics-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def write(self, name, text, mode=0o600):
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def certificate(self, mode=0o600):
        key, certificate = self.directory / "key.pem", self.directory / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        both = self.write("both.pem", key.read_text() + certificate.read_text(), mode)
        return both, certificate

    def refusal(self, *arguments):
        done = subprocess.run([SERVER, *map(str, arguments)], text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=30)
        return done.returncode, done.stderr

    def assert_serves(self, server, **options):
        headers, body = server.scrape(**options)
        self.assertIn("text/plain", headers["Content-Type"])
        self.assertEqual(body.count(b"\nplectl_vm_exits_total{"), SERIES)

    def test_serves_one_path_on_this_machine(self):
        with Server(self) as server:
            self.assertTrue(server.url.startswith("http://127.0.0.1:"), server.url)
            self.assert_serves(server)
            headers, body = server.scrape({"Accept-Encoding": "gzip"})
            self.assertEqual(headers["Content-Encoding"], "gzip")
            self.assertIn(b'plectl_vm_exits_total{vm="vm 7"} 7\n', gzip.decompress(body))
            for path in ("/", "/etc/passwd", "/../../etc/passwd"):
                url = f"http://{server.host}:{server.port}{path}"
                self.assertEqual(status_of(lambda: server.scrape(url=url)), 404, path)

    def test_listens_by_ipv6(self):
        with Server(self, listen="[::1]:0") as server:
            self.assertTrue(server.url.startswith("http://[::1]:"), server.url)
            self.assert_serves(server)

    def test_a_port_in_use_is_refused(self):
        with Server(self) as server:
            code, errors = self.refusal(f":{server.port}")
            self.assertEqual(code, 3)
            self.assertIn("Address already in use", errors)

    def test_asks_for_the_password(self):
        secret = self.write("secret", "prometheus:pass:word\n")
        with Server(self, "-", secret) as server:
            self.assert_serves(server, headers=basic(b"prometheus:pass:word"))
            for headers in ({}, basic(b"prometheus:pass:wore"), basic(b"prometheus:"), basic(b":"),
                            basic(b""), basic(b"other:pass:word"), basic(b"no colon"),
                            basic(b"\xff:\x00"), {"Authorization": "Basic %%%"},
                            {"Authorization": "Basic"}, {"Authorization": "Basic ===="},
                            {"Authorization": "Basic A"}, {"Authorization": "Digest a=b"},
                            {"Authorization": "Basic " + "A" * 6000}):
                self.assertEqual(status_of(lambda: server.scrape(headers)), 401, headers)
            self.assert_serves(server, headers=basic(b"prometheus:pass:word"))

    def test_a_secret_that_everybody_may_read_is_refused(self):
        code, errors = self.refusal(":0", "-", self.write("secret", "a:b", 0o644))
        self.assertEqual(code, 2)
        self.assertIn("mode 0644", errors)
        code, errors = self.refusal(":0", self.certificate(mode=0o644)[0])
        self.assertEqual(code, 2)
        self.assertIn("mode 0644", errors)

    def test_serves_by_tls(self):
        both, certificate = self.certificate()
        with Server(self, both) as server:
            self.assertTrue(server.url.startswith("https://"), server.url)
            context = ssl.create_default_context(cafile=certificate)
            self.assert_serves(server, context=context)
            with self.assertRaises(urllib.error.URLError):  # nobody vouches for it
                server.scrape(context=ssl.create_default_context())
            self.shake_hands_in_tls_1_1(server)
            with server.connect() as plain:
                plain.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                self.assertNotIn(b"200 OK", read_all(plain))
            self.assert_serves(server, context=context)

    def shake_hands_in_tls_1_1(self, server):
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with server.connect() as plain, self.assertRaises((ssl.SSLError, OSError)):
            old.wrap_socket(plain).close()

    def test_a_certificate_without_its_key_is_refused(self):
        _, certificate = self.certificate()
        certificate.chmod(0o600)
        code, errors = self.refusal(":0", certificate)
        self.assertEqual(code, 2)
        self.assertIn("PEM", errors)

    def test_slow_clients_do_not_keep_others_away(self):
        with Server(self) as server:
            slow = [server.connect() for _ in range(64)]
            for i, client in enumerate(slow):  # those with an odd number say nothing at all
                if i % 2 == 0:
                    client.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
            began = time.monotonic()
            self.assert_serves(server)
            self.assertLess(time.monotonic() - began, SCRAPE_S)
            for client in slow:
                client.close()

    def test_a_client_that_keeps_sending_is_cut_off(self):
        with Server(self) as server, server.connect() as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
            began = time.monotonic()
            with self.assertRaises(OSError):
                while time.monotonic() - began < SCRAPE_S:
                    client.sendall(b"x")
                    time.sleep(0.1)
            self.assert_serves(server)

    def test_readers_that_do_not_read_do_not_keep_others_away(self):
        with Server(self) as server:
            clients = [server.connect() for _ in range(32)]
            for client in clients:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assert_serves(server)
            for client in clients:
                client.close()

    def test_garbage_does_no_harm(self):
        seed = int(os.environ.get("PLECTL_TEST_SEED", "1"))
        rng = random.Random(seed)
        secret = self.write("secret", "prometheus:password\n")
        good = basic(b"prometheus:password")
        with Server(self, "-", secret) as server:
            self.assert_serves(server, headers=good)
            before = server.descriptors()
            for i in range(1500):
                request = garbage(rng)
                with self.subTest(seed=seed, request=i, bytes=request[:200]):
                    send_garbage(server, request, rng)
            self.assert_serves(server, headers=good)
            time.sleep(1.5)  # longer than a request may take
            self.assertLessEqual(server.descriptors(), before + 2)


def read_all(connection):
    """What the server says until it hangs up."""
    answer = b""
    try:
        while part := connection.recv(65536):
            answer += part
    except OSError:
        pass
    return answer


REQUEST = (b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9464\r\nAccept-Encoding: gzip\r\n"
           b"Authorization: Basic cHJvbWV0aGV1czpwYXNzd29yZA==\r\nContent-Length: 3\r\n\r\nabc")
WORDS = [b"\r\n", b"\r\n\r\n", b"\0", b"\xff" * 8, b":", b" ", b"A" * 5000, b"%00", b"%", b"..",
         b"Content-Length: 99999999999999999999\r\n", b"Content-Length: -1\r\n",
         b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n", b"Expect: 100-continue\r\n",
         b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n", b"HTTP/9.9",
         b"Authorization: Basic \xff\xfe\r\n", b"Range: bytes=0-,-1,1-0\r\n", b"POST", b"DELETE",
         b"PRI * HTTP/2.0", b"OPTIONS", b"http://[::1", b"Host: \r\n", b"If-Modified-Since: x\r\n",
         b"Authorization: Digest username=\"\\", b"\n", b"\t", b"?", b"//", b"Accept-Encoding: \r\n"]


def garbage(rng):
    """A request that something happened to, or none at all."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(1, 2000))
    request = bytearray(REQUEST)
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(request) + 1)
        what = rng.randrange(4)
        if what == 0:
            request[place:place] = rng.choice(WORDS)
        elif what == 1:
            del request[place:place + rng.randrange(1, 30)]
        elif what == 2:
            request[place:place + 1] = rng.randbytes(1)
        else:
            request[place:place] = request[place:place + rng.randrange(1, 60)]
    return bytes(request)


def send_garbage(server, request, rng):
    """Sends it, sometimes in two parts, and hangs up before, while or after the server answers."""
    with server.connect() as client:
        client.settimeout(0.02)
        cut = rng.randrange(len(request)) if rng.random() < 0.3 else len(request)
        try:
            client.sendall(request[:cut])
            client.sendall(request[cut:])
            if rng.random() < 0.5:
                client.shutdown(socket.SHUT_WR)
            if rng.random() < 0.7:
                client.recv(65536)
        except OSError:
            pass


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--verbose"] + sys.argv[1:])
