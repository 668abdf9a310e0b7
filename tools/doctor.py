"""`stepwell doctor`: what is here, what is missing, and the line that brings it."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module, metadata
from typing import Any, NamedTuple

from ..dialects.diagnostics import CompileError
from .devices import size
from .lit.features import find_program

# Programs that nothing needs, but that people who work on kernels or on stepwell want.
PROGRAMS = {
    "mlir-opt": ("reads our IR in tests", "sudo apt-get install mlir-19-tools"),
    "gdb": ("stops in kernels at Python lines", "sudo apt-get install gdb"),
    "perf": ("shows the time of kernel lines", "sudo apt-get install linux-perf"),
}

_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[^]]*\])?\s*\(?([^;()]*)")
_BOUND = re.compile(r"(==|>=|<=|<|>|~=|!=)\s*([\w.*]+)")


class Finding(NamedTuple):
    """One line of the report; `fix` says what to do where something is missing."""

    what: str
    state: str
    fix: str = ""
    needed: bool = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(args: argparse.Namespace) -> int:
    """Print the report; 1 if something is missing that stepwell needs."""
    missing = 0
    for title, findings in SECTIONS.items():
        print(title)
        for finding in findings():
            mark = "ok" if not finding.fix else "MISSING" if finding.needed else "absent"
            missing += mark == "MISSING"
            print(f"  {mark:<8}{finding.what:<12} {finding.state}")
            if finding.fix:
                print(f"  {'':<8}{'':<12} -> {finding.fix}")
    print(f"\n{missing} needed, see -> above" if missing else "\nnothing needed is missing")
    return int(missing > 0)


def python() -> Iterator[Finding]:
    """The interpreter and the machine."""
    too_old = "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer"
    yield Finding("python", f"{platform.python_version()} at {sys.executable}", too_old)
    yield Finding("system", f"{platform.platform()}, {cores()} cores for this process")


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def packages() -> Iterator[Finding]:
    """stepwell's requirements, as installed."""
    try:
        wanted = metadata.requires("stepwell") or []
    except metadata.PackageNotFoundError:
        fix = "pip install stepwell (from a checkout: pip install -e .)"
        yield Finding("stepwell", "runs from a checkout, not installed", fix, needed=False)
        return
    yield Finding("stepwell", metadata.version("stepwell"))
    for requirement in wanted:
        match = _REQUIREMENT.match(requirement)
        if match is None or "extra ==" in requirement:
            continue
        name, bounds = match[1], match[2].strip()
        fix = f"pip install '{name}{bounds}'"
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(name, f"not installed, needed is {bounds}", fix)
            continue
        yield Finding(name, version, "" if satisfies(version, bounds) else fix)


def satisfies(version: str, bounds: str) -> bool:
    """Whether a version lies in bounds such as `>=2.0,<3`, compared by numbers only."""
    comparisons = {
        "==": int.__eq__,
        "!=": int.__ne__,
        ">=": int.__ge__,
        "<=": int.__le__,
        ">": int.__gt__,
        "<": int.__lt__,
    }
    for operator, bound in _BOUND.findall(bounds):
        compare = comparisons.get(operator)
        left, right = _numbers(version), _numbers(bound)
        if compare and not compare((left > right) - (left < right), 0):
            return False
    return True


def _numbers(version: str) -> list[int]:
    numbers = [int(part) for part in re.findall(r"\d+", version)[:4]]
    return numbers + [0] * (4 - len(numbers))


def extensions() -> Iterator[Finding]:
    """What installed packages add to the compiler, and what of it cannot be had."""
    from ..registry import TABLES, load_row, origin, plugins

    installed = [(row, plugins(group)) for group, row in TABLES.items() if plugins(group)]
    if not installed:
        yield Finding("none", "no other package adds to stepwell's compiler")
    for row, points in installed:
        table = load_row(row)  # loads xDSL, so only where there is something
        for name, several in points.items():
            where = " and ".join(origin(point) for point in several)
            yield Finding(f"{table.kind} {name}", where, why_unused(table, name), needed=False)


def why_unused(table: Any, name: str) -> str:
    """Why something that a package adds is not taken; empty where it is."""
    from ..lowering.route import LOWERING_TABLE, lowerings

    if name in table.rows:
        return f"stepwell's own {table.kind} of that name stays; choose another name"
    try:
        found = table.find(name)
    except CompileError as error:
        return str(error)
    if table is LOWERING_TABLE and found not in lowerings():
        return f"stepwell's own way from {found.takes} to {found.gives} stays"
    return ""


def compiler() -> Iterator[Finding]:
    """What code is generated for."""
    try:
        binding: Any = import_module("llvmlite.binding")
    except ImportError as error:
        yield Finding("llvmlite", f"cannot be imported: {error}", "pip install llvmlite")
        return
    yield Finding("LLVM", ".".join(str(part) for part in binding.llvm_version_info))
    from ..runtime.cpu_code import host_arch

    host = (binding.get_default_triple(), binding.get_host_cpu_name(), host_arch())
    yield Finding("host", ", ".join(part for part in host if part))


def devices() -> Iterator[Finding]:
    """The devices that are there, and why others are not."""
    from ..runtime.devices import devices, why_missing

    for device in devices():
        yield Finding(device.name, device.description)
    for kind, advice in why_missing():
        yield Finding(kind, "not there", advice, needed=False)


def cache() -> Iterator[Finding]:
    """The folder of compiled kernels."""
    from ..runtime.cache import Cache

    stats = Cache().stats()
    if not stats.enabled:
        yield Finding("folder", "switched off by STEPWELL_CACHE=0: every process compiles anew")
        return
    fix = (
        ""
        if (reason := unwritable(stats.folder)) is None
        else (
            f"make it writable or set STEPWELL_CACHE_DIR; without it every process compiles anew "
            f"({reason})"
        )
    )
    yield Finding("folder", stats.folder, fix, needed=False)
    yield Finding("entries", f"{stats.entries} kernels, {size(stats.nbytes)}")


def unwritable(folder: str) -> str | None:
    """Why nothing can be written into a folder, or into the one that would hold it; else None."""
    while not os.path.exists(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        return error.strerror or str(error)
    return None


def programs() -> Iterator[Finding]:
    """Programs of others that help."""
    for name, (purpose, fix) in PROGRAMS.items():
        place = find_program(name)
        yield Finding(name, place or f"not found; {purpose}", "" if place else fix, needed=False)


SECTIONS = {
    "Python": python,
    "packages": packages,
    "compiler": compiler,
    "extensions": extensions,
    "devices": devices,
    "cache": cache,
    "optional programs": programs,
}
