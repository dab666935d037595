# SPDX-License-Identifier: Apache-2.0
"""Takes programs of this machine, or of Debian packages that are not installed, into the lab; and
what the programs that measure there have in common."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "plectl"
LIBRARIES = "/lib/x86_64-linux-gnu"
BEGIN, END = "<!-- begin table -->", "<!-- end table -->"


class NotThere(Exception):
    """A program, library or package is missing; the text says which."""


def run(command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options)


def unpacked(package, cache=CACHE / "packages", alone=False):
    """The folder into which `package`, and what it needs beyond this machine's, was unpacked.

    Nothing is installed, and no root is needed: apt-get download and dpkg -x. Once per cache.
    `alone`: without what it needs, for programs that are whole by themselves."""
    root = cache / package
    if root.exists():
        return root
    part = cache / f"{package}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    names = [package]
    if not alone:
        plan = run(["apt-get", "install", "--simulate", "--no-install-recommends", package]).stdout
        names = re.findall(r"^Inst (\S+) ", plan, re.MULTILINE) or names
    print(f"downloading {', '.join(names)}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="plectl-packages-") as directory:
        run(["apt-get", "download", *names], cwd=directory)
        for deb in sorted(pathlib.Path(directory).glob("*.deb")):
            run(["dpkg", "-x", deb, part])
    part.rename(root)
    return root


def needed_libraries(program, target=None, root=None):
    """{path in the lab: file here} of `program` and its shared libraries.

    `root` is where packages were unpacked: the libraries are looked for there too."""
    environment = dict(os.environ)
    if root:
        folders = [root / "usr" / LIBRARIES[1:], root / LIBRARIES[1:]]
        environment["LD_LIBRARY_PATH"] = ":".join(map(str, folders))
    listing = run(["ldd", program], env=environment).stdout
    missing = re.findall(r"(\S+) => not found", listing)
    if missing:
        raise NotThere(f"{program} needs {', '.join(missing)}, which are not there")
    files = {target or f"/bin/{pathlib.Path(program).name}": program}
    for path in re.findall(r"(/\S+) \(0x", listing):
        folder = "/lib64" if "ld-linux" in path else LIBRARIES
        files[f"{folder}/{pathlib.Path(path).name}"] = os.path.realpath(path)
    return files


def program_files(name, package):
    """The same of a program in PATH, or of one in `package`, which is unpacked for it."""
    installed = shutil.which(name)
    if installed:
        return needed_libraries(installed)
    try:
        root = unpacked(package)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or error
        raise NotThere(f"no {name}, and package {package} cannot be had: {said}") from error
    return needed_libraries(root / "usr/bin" / name, root=root)


def file_options(files):
    """{path in the lab: file here} as options of `plectl lab exec`."""
    return [word for target, path in files.items() for word in ("--file", f"{path}:{target}")]


def lab_job(plectl, texts, files, verbose=False, options=()):
    """Runs texts["script.sh"] in the lab; `texts` {name below /job: text}. Its stdout.

    Raises CalledProcessError, with the lab's stderr unless `verbose` showed it."""
    with tempfile.TemporaryDirectory(prefix="plectl-lab-job-") as directory:
        files = dict(files)
        for name, text in texts.items():
            path = pathlib.Path(directory) / name
            path.write_text(text)
            files[f"/job/{name}"] = path
        # Generous: what a busy machine does to the lab's speed does not show in the lab.
        command = [plectl, "lab", "exec", "--lab-start", "cold", *options, *file_options(files),
                   "--lab-boot-deadline-s", "1800", "--lab-silence-deadline-s", "1800",
                   "--", "sh", "/job/script.sh"]
        return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
                              stderr=None if verbose else subprocess.PIPE).stdout


def markdown(rows):
    """A table whose first row holds the heads; all columns but the first are numbers."""
    lines = [rows[0], ["---"] + ["---:"] * (len(rows[0]) - 1)] + rows[1:]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def update_page(page, text):
    before, rest = page.read_text().split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def provenance(manifest):
    host = manifest["host"]
    return (f"plectl {manifest['plectl_version']}, Linux {host['kernel']['release']}, "
            f"{host['cpu']['model_name']}, in the lab")
