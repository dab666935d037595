#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The help of every command is for a host that has nothing but the program: it names no file of the
source tree and no number behind a name, and each page that it refers to is in the program."""

import os
import re
import subprocess
import unittest

PLECTL = os.environ["PLECTL"]
SOURCE_FILE = re.compile(r"\b(?:docs|bench|scripts|results|tests|host_tools)/|\.md\b")
ENUM = re.compile(r"ENUM|->\d")


def run(*words):
    return subprocess.run([PLECTL, *words], text=True, capture_output=True, check=False)


def helps(*words):
    """(words of a command, its help), of a command and of all below it."""
    text = run(*words, "--help").stdout
    yield words, text
    below = re.search(r"^Subcommands:\n((?:  .*\n?)+)", text, re.MULTILINE)
    names = re.findall(r"^  (\S+)", below[1], re.MULTILINE) if below else []
    for name in names:
        yield from helps(*words, name)


class Help(unittest.TestCase):
    def test_names_nothing_that_only_the_source_tree_has(self):
        commands = list(helps())
        self.assertGreater(len(commands), 12)
        for words, text in commands:
            self.assertRegex(text, "Usage: ", words)
            for number, line in enumerate(text.splitlines(), 1):
                for pattern in (SOURCE_FILE, ENUM):
                    self.assertNotRegex(line, pattern, f"{words} --help, line {number}")

    def test_every_page_that_is_referred_to_is_there(self):
        texts = [text for _, text in helps()]
        names = set(re.findall(r"plectl docs ([\w.-]*\w)", "".join(texts)))
        self.assertIn("quickstart.yaml", names)
        for name in names:
            done = run("docs", name)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout.strip())

    def test_lists_the_pages_and_refuses_others(self):
        listed = run("docs").stdout.splitlines()
        self.assertTrue(any(line.split() == ["lab", "The", "lab"] for line in listed), listed)
        for line in listed:
            self.assertEqual(run("docs", line.split()[0]).returncode, 0, line)
        done = run("docs", "no_such_page")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("plectl docs lists the pages", done.stderr)


if __name__ == "__main__":
    unittest.main()
