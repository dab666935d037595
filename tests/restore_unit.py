# SPDX-License-Identifier: Apache-2.0
"""What scripts/plectl-restore.service says: shared by the tests of the unit and of power cuts."""

import pathlib

FILE = pathlib.Path(__file__).resolve().parent.parent / "scripts/plectl-restore.service"
INSTALLED_PLECTL = "/usr/bin/plectl"


def settings(file=FILE):
    """{name: [value of each line]} of all sections; a list's words stay together."""
    found = {}
    for line in file.read_text().splitlines():
        if line and line[0] not in "#;[":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def as_shell():
    """What systemd does with the unit at boot; prints "@unit EXITCODE", or "@unit skipped"."""
    unit = settings()
    conditions = " && ".join(f"test -e {path}" for path in unit["ConditionPathExists"])
    commands = " && ".join(unit["ExecStart"])
    return f'if {conditions}; then {commands} >&2; echo "@unit $?"; else echo "@unit skipped"; fi\n'
