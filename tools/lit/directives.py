"""Reads what a test file asks for: `RUN:`, `REQUIRES:`, `UNSUPPORTED:` and `XFAIL:` lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_KEYWORD = re.compile(r"(?<![\w-])(RUN|REQUIRES|UNSUPPORTED|XFAIL|END):(.*)")
_FOREIGN = re.compile(r"(?<![\w-])(DEFINE|REDEFINE|ALLOW_RETRIES):")


class TestFileError(Exception):
    """A test file that asks for something that it cannot have, or for nothing."""

    # pytest would collect a class of this name.
    __test__ = False


@dataclass
class TestFile:
    """One test: its commands in order, before substitution, and its conditions."""

    __test__ = False

    path: Path
    text: str
    commands: list[str] = field(default_factory=list[str])
    requires: list[str] = field(default_factory=list[str])
    unsupported: list[str] = field(default_factory=list[str])
    xfail: list[str] = field(default_factory=list[str])


def read_test(path: Path) -> TestFile:
    """Parse the directives of a file."""
    test = TestFile(path, path.read_text(encoding="utf-8"))
    lists = {"REQUIRES": test.requires, "UNSUPPORTED": test.unsupported, "XFAIL": test.xfail}
    unfinished = False
    for number, line in enumerate(test.text.splitlines(), 1):
        if foreign := _FOREIGN.search(line):
            raise TestFileError(f"{path}:{number}: `{foreign[1]}:` is not supported")
        if not (match := _KEYWORD.search(line)):
            continue
        keyword, rest = match[1], match[2].strip()
        if keyword == "END":
            break
        if keyword == "RUN":
            _add_command(test.commands, rest, unfinished)
            unfinished = rest.endswith("\\")
        else:
            lists[keyword] += [part.strip() for part in rest.split(",")]
    if not test.commands:
        raise TestFileError(f"{path}: no `RUN:` line")
    if unfinished:
        raise TestFileError(f"{path}: the last `RUN:` line ends in `\\`, but nothing follows")
    return test


def _add_command(commands: list[str], text: str, continues: bool) -> None:
    text = text.removesuffix("\\")
    if continues:
        commands[-1] += text
    else:
        commands.append(text)


def substitutions(path: Path, scratch: Path) -> dict[str, str]:
    """What `%s` and its like stand for in the commands of the test at `path`."""
    return {
        "%s": str(path),
        "%S": str(path.parent),
        "%p": str(path.parent),
        "%t": str(scratch / f"{path.name}.tmp"),
        "%T": str(scratch),
        "%basename_t": f"{path.name}.tmp",
        "%%": "%",
    }


def substitute(command: str, values: Mapping[str, str]) -> str:
    """Fill in the substitutions; one that does not exist is an error, not text."""

    def value(match: re.Match[str]) -> str:
        if match[0] in values:
            return values[match[0]]
        raise TestFileError(
            f"unknown substitution {match[0]!r}, expected one of {' '.join(values)}"
        )

    # lit replaces textually, so `%s.bc` and `%tx` are `%s` and `%t` with something after them.
    return re.sub(r"%(?:basename_t|\{[^}]*\}|[a-zA-Z%])", value, command)
