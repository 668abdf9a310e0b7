"""Errors of the compiler: what is wrong, where, and what to do instead. Imports no xDSL."""

from __future__ import annotations

import linecache
from dataclasses import dataclass


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

    def __str__(self) -> str:
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
