#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that no tool else checks: the include table and link lines of docs/architecture.md, the
ceilings on file length, licence lines, and that no file is forgotten by CMake."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Folder -> folders it may include. One way only.
MAY_INCLUDE = {
    "abi": set(),
    "base": {"abi"},
    "host": {"base", "abi"},
    "guests": {"base", "abi"},
    "metrics": {"base", "abi"},
    "analysis": {"base", "abi"},
    "experiment": {"host", "guests", "analysis", "base", "abi"},
    "output": {"experiment", "metrics", "analysis", "host", "guests", "base", "abi"},
    "lab": {"experiment", "host", "guests", "base", "abi"},
    "monitor": {"host", "metrics", "base", "abi"},
    "cli": {"output", "lab", "monitor", "experiment", "metrics", "analysis", "host", "guests", "base", "abi"},
    "bench": {"cli", "output", "lab", "monitor", "experiment", "metrics", "analysis", "host", "guests", "base",
              "abi"},
}
LINES_MAX = 400
COLUMNS_MAX = 100
SOURCE_SUFFIXES = {".h", ".cc", ".c", ".S"}
INCLUDE = re.compile(r'^#include "(?P<path>[^"]+)"', re.MULTILINE)
# In a text that plectl prints: a host has the program, not its source tree (plectl docs has the pages).
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
SOURCE_FILE = re.compile(r"\b(?:docs|bench|scripts|tests)/\w|\w\.md\b")
LINK = re.compile(r"\bplectl_(?P<folder>[a-z]+)\b")


def tracked_files():
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
                             cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [pathlib.Path(name) for name in listing.split("\0") if name and (ROOT / name).is_file()]


def folder_of(path):
    parts = pathlib.PurePosixPath(path).parts
    if parts[:2] == ("guest_workloads", "abi"):
        return "abi"
    if parts[0] == "host_tools" and len(parts) > 2:
        return parts[1]
    if parts[0] == "bench":
        return "bench"
    return None


def check_includes(path, text):
    folder = folder_of(path)
    for match in INCLUDE.finditer(text):
        target = match["path"]
        if target.endswith((".skel.h",)):
            continue
        if "/" not in target:
            yield f'{path}: include "{target}" is not a full path from the root'
        target_folder = folder_of(target)
        if folder is None or target_folder in (None, folder):
            continue
        if target_folder not in MAY_INCLUDE[folder]:
            yield f"{path}: {folder} may not include {target}"
    if str(path).startswith("guest_workloads/") and "host_tools/" in text:
        yield f"{path}: the guest includes nothing of the host"


def check_texts(path, text):
    if not str(path).startswith("host_tools/") or path.suffix not in {".h", ".cc"}:
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#include"):
            continue
        for match in STRING.finditer(line.partition("// ")[0]):
            if SOURCE_FILE.search(match[1]):
                yield f'{path}:{number}: a text names a file of the source tree: "{match[1]}"'


def check_links(path, text):
    folder = folder_of(path)
    if folder not in MAY_INCLUDE:
        return
    for match in LINK.finditer(text):
        linked = match["folder"]
        if linked in MAY_INCLUDE and linked != folder and linked not in MAY_INCLUDE[folder]:
            yield f"{path}: {folder} may not link plectl_{linked}"


def check_size_and_licence(path, text):
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        yield f"{path}: {len(lines)} lines, the ceiling is {LINES_MAX}"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield f"{path}:{number}: {len(line)} columns, the ceiling is {COLUMNS_MAX}"
    if not any("SPDX-License-Identifier" in line for line in lines[:3]):
        yield f"{path}: no SPDX line"


def check_version():
    """One version: CMake's, which the program prints and the change log starts with."""
    cmake = re.search(r"^project\(plectl VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(),
                      re.MULTILINE)[1]
    header = re.search(r'kVersion = "([^"]*)"', (ROOT / "host_tools/base/version.h").read_text())[1]
    if header != cmake:
        yield f"host_tools/base/version.h: {header}, but CMakeLists.txt has {cmake}"
    changes = re.findall(r"^## (\d[\d.]*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    if changes[:1] != [cmake]:
        yield f"CHANGELOG.md: its newest release is not {cmake}, as in CMakeLists.txt"


def check_in_build(path, build_text):
    if path.suffix in {".cc", ".c", ".S"} and path.name not in build_text:
        yield f"{path}: in no CMakeLists.txt"


def main():
    files = tracked_files()
    build_text = "".join((ROOT / f).read_text() for f in files if f.name == "CMakeLists.txt")
    problems = []
    for path in files:
        if path.name == "CMakeLists.txt":
            problems += check_links(path, (ROOT / path).read_text())
        if path.suffix not in SOURCE_SUFFIXES:
            continue
        text = (ROOT / path).read_text()
        problems += check_includes(path, text)
        problems += check_texts(path, text)
        problems += check_size_and_licence(path, text)
        problems += check_in_build(path, build_text)
    problems += check_version()
    print("\n".join(problems) if problems else f"check_tree: {len(files)} files are fine")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
