#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs text cases against plectl. Usage: run_cases.py PLECTL FILE.case...

A case file holds cases separated by lines "===". Each line of a case is a keyword and its text:

  NAME text        what the case shows (required, first)
  FILE path        a file in the case's fresh working directory, its folders are made; its lines
                   follow, each after "| "
  RUN arguments    the command line after "plectl", split as by a shell (required)
  EXIT code        (required)
  TIMEOUT seconds  (required)
  STDOUT regex     must be found in stdout; may be repeated
  STDERR regex     the same for stderr
  EMPTY STDOUT|STDERR
  ABSENT path      must not exist afterwards

"{fixtures}" and "{source}" in RUN stand for tests/fixtures and the root of the source tree.
"""

import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
REPEATABLE = {"STDOUT", "STDERR", "EMPTY", "ABSENT"}
KEYWORDS = REPEATABLE | {"NAME", "RUN", "EXIT", "TIMEOUT", "FILE"}


def parse_case(lines, place):
    case = {"FILES": {}, **{keyword: [] for keyword in REPEATABLE}}
    current_file = None
    for line in lines:
        if line.startswith("|") and current_file:
            case["FILES"][current_file] += line[2:] + "\n"
            continue
        keyword, _, text = line.partition(" ")
        if not keyword or keyword.startswith("#"):
            continue
        if keyword not in KEYWORDS:
            sys.exit(f"{place}: unknown keyword {keyword}")
        if keyword == "FILE":
            current_file = text
            case["FILES"][text] = ""
        elif keyword in REPEATABLE:
            case[keyword].append(text)
        else:
            case[keyword] = text
    for required in ("NAME", "RUN", "EXIT", "TIMEOUT"):
        if required not in case:
            sys.exit(f"{place}: a case has no {required}")
    return case


def run_case(plectl, case, directory):
    for name, text in case["FILES"].items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    command_line = case["RUN"].replace("{source}", str(SOURCE))
    command_line = command_line.replace("{fixtures}", str(SOURCE / "tests/fixtures"))
    try:
        done = subprocess.run([plectl] + shlex.split(command_line), cwd=directory, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL,
                              timeout=float(case["TIMEOUT"]))
    except subprocess.TimeoutExpired:
        return [f"did not end within {case['TIMEOUT']} s"]
    streams = {"STDOUT": done.stdout, "STDERR": done.stderr}
    problems = []
    if done.returncode != int(case["EXIT"]):
        problems.append(f"exit code {done.returncode}, expected {case['EXIT']}")
    for stream, text in streams.items():
        for pattern in case[stream]:
            if not re.search(pattern, text, re.MULTILINE):
                problems.append(f"{stream} lacks /{pattern}/")
        if stream in case["EMPTY"] and text:
            problems.append(f"{stream} is not empty")
    problems += [f"{path} exists" for path in case["ABSENT"] if (directory / path).exists()]
    if problems:
        problems += [f"{stream}:\n{text}" for stream, text in streams.items()]
    return problems


def main():
    plectl, *files = sys.argv[1:]
    plectl = pathlib.Path(plectl).resolve()  # the cases run elsewhere
    count = failed = 0
    for file in files:
        for lines in re.split(r"^===\n", pathlib.Path(file).read_text(), flags=re.MULTILINE):
            if not lines.strip():
                continue
            case = parse_case(lines.splitlines(), file)
            with tempfile.TemporaryDirectory(prefix="plectl-cli-") as directory:
                problems = run_case(plectl, case, pathlib.Path(directory))
            count += 1
            failed += bool(problems)
            print(f"{'FAIL' if problems else 'ok  '} {case['NAME']}")
            for problem in problems:
                print("     " + problem.replace("\n", "\n     "))
    print(f"{count - failed} passed, {failed} failed")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
