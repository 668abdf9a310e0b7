"""Errors of the compiler: what is wrong, where, and what to do instead. Imports no xDSL.

A pass that can find several things wrong makes one `CompileError` for each and raises them together
by `CompileError.collect`; `error.parts` gives them back one by one (for tests and editors).
"""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from xdsl.ir import Attribute, Operation


@dataclass(frozen=True)
class Location:
    """A place in a source file; `line` and `column` count from 1, `end_column` is exclusive."""

    file: str
    line: int
    column: int = 1
    end_column: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class CompileError(Exception):
    """A program that cannot be compiled: message, place, source line with a caret, and a hint."""

    def __init__(self, message: str, location: Location | None = None, *, hint: str | None = None):
        super().__init__(message)
        self.message = message
        self.location = location
        self.hint = hint
        self.parts: tuple[CompileError, ...] = (self,)

    @classmethod
    def collect(cls, summary: str, errors: Sequence[CompileError]) -> Self:
        """One error that lists all of `errors` under `summary`; its place is the first one's."""
        assert errors, "an error needs at least one reason"
        parts = tuple(part for error in errors for part in error.parts)
        located = next((part.location for part in parts if part.location is not None), None)
        if len(parts) == 1:
            collected = cls(f"{summary}: {parts[0].message}", located, hint=parts[0].hint)
        else:
            collected = cls(summary, located)
        collected.parts = parts
        return collected

    def __str__(self) -> str:
        if len(self.parts) > 1:
            return "\n".join([self.message, *(str(part) for part in self.parts)])
        lines = [f"{self.location}: error: {self.message}" if self.location else self.message]
        if self.location is not None:
            lines += _excerpt(self.location)
        if self.hint is not None:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


def _excerpt(location: Location) -> list[str]:
    """The source line with carets under the place, or nothing where the file cannot be read."""
    text = linecache.getline(location.file, location.line).rstrip("\n")
    if not text:
        return []
    width = max(1, (location.end_column or location.column + 1) - location.column)
    width = min(width, max(1, len(text) - location.column + 1))
    return [f"  {text}", "  " + " " * (location.column - 1) + "^" * width]


def location_of(op: Operation) -> Location | None:
    """The place in the source that `op` comes from: its own, or the nearest enclosing op's."""
    current: Operation | None = op
    while current is not None:
        found = location_from_attribute(current.location)
        if found is not None:
            return found
        current = current.parent_op()
    return None


def location_from_attribute(attribute: Attribute) -> Location | None:
    """The first file position that a location attribute names (inlined code: the callee's)."""
    from xdsl.dialects.builtin import (
        ArrayAttr,
        CallSiteLoc,
        FileLineColLoc,
        FusedLoc,
        NameLoc,
    )

    if isinstance(attribute, FileLineColLoc):
        return Location(attribute.filename.data, attribute.line.data, attribute.column.data)
    if isinstance(attribute, NameLoc):
        return location_from_attribute(attribute.location)
    if isinstance(attribute, CallSiteLoc):
        return location_from_attribute(attribute.callee)
    if isinstance(attribute, FusedLoc):
        places: ArrayAttr[Attribute] = attribute.locations  # pyright: ignore[reportAssignmentType]
        found = (location_from_attribute(place) for place in places)
        return next((place for place in found if place is not None), None)
    return None
