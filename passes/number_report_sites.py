"""number-report-sites: checks and prints get the number by which a device names them.

    gpux.check %ok, "assert", "no" formats []
    gpux.check %ok, "assert", "no" formats [] site 0 : i32

Numbers start at 0, in program order. Sites that are alike in kind, message, formats and place (as
inlined and unrolled code has them) share one. `collect_sites` gives the host's table, in the order
of the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, NameLoc, StringAttr, i32
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ..dialects import gpux, marks
from ..dialects.diagnostics import CompileError, location_of
from ..dialects.walking import ops_of_class


@dataclass(frozen=True)
class NumberReportSites(ModulePass):
    """Numbers the `gpux.check` and `gpux.print` ops of a module."""

    name = "number-report-sites"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        numbers: dict[tuple[Any, ...], int] = {}
        for site in _sites(op):
            number = numbers.setdefault(_key(site), len(numbers))
            site.properties["site"] = IntegerAttr(number, i32)


def collect_sites(module: ModuleOp) -> list[dict[str, Any]]:
    """The site table: one row for each number, as a manifest has it.

    Rows have `kind` (that of the check, or "print"), `message`, `formats` (language type names),
    `file`, `line`, `column` (from 1; line 0: unknown) and `function` (the enclosing one's name).
    Raises CompileError where a site has no number.
    """
    rows: dict[int, dict[str, Any]] = {}
    for site in _sites(module):
        if site.site is None:
            raise CompileError(
                f"{site.name} has no site number",
                location_of(site),
                hint="run number-report-sites first",
            )
        rows.setdefault(site.site.value.data, _describe(site))
    return [rows[number] for number in sorted(rows)]


def _sites(module: ModuleOp) -> list[gpux.ReportOp]:
    return ops_of_class(module, gpux.CheckOp, gpux.PrintOp)


def _key(site: gpux.ReportOp) -> tuple[Any, ...]:
    """What sites with the same number have in common."""
    return tuple(map(str, _describe(site).values()))


def _describe(op: gpux.ReportOp) -> dict[str, Any]:
    place = location_of(op)
    return {
        "kind": op.kind.data if isinstance(op, gpux.CheckOp) else "print",
        "message": op.message.data,
        "formats": tuple(format_.data for format_ in op.formats),
        "file": place.file if place is not None else "",
        "line": place.line if place is not None else 0,
        "column": place.column if place is not None else 0,
        "function": _function_name(op),
    }


def _function_name(op: Operation) -> str:
    if isinstance(op.location, NameLoc):  # inlined: the front end names the function it is from
        return op.location.desc.data
    parent = op.parent_op()
    while parent is not None:
        name = (
            parent.attributes.get(marks.PART)  # of a part of a kernel: the kernel's name
            or parent.attributes.get("sym_name")
            or parent.properties.get("sym_name")
        )
        if isinstance(name, StringAttr):
            return name.data
        parent = parent.parent_op()
    return ""
