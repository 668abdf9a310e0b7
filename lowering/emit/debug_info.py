"""DWARF line information as LLVM metadata, from the places that ops carry.

A debugger or profiler then shows the user's Python lines: each function is a subprogram in the
file where its first line is, each instruction has a line and a column.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.ir import Attribute, Operation

from ...dialects import llvm
from ...dialects.diagnostics import Location, location_from_attribute

if TYPE_CHECKING:
    from .llvm_text import ModuleText


class DebugInfo:
    """The nodes made so far: one compile unit, a node per file, function and place."""

    def __init__(self, emission: str = "FullDebug") -> None:
        self.emission = emission
        self.unit: int | None = None
        self.files: dict[str, int] = {}
        self.scopes: dict[tuple[int, str], int] = {}
        self.places: dict[tuple[int, str, int, int], int] = {}
        self.located: dict[int, tuple[Attribute, Location | None]] = {}
        self.lines: dict[int, tuple[str, int]] = {}
        self.signature: int | None = None

    def named(self, module: ModuleText) -> str:
        """The module's flags, and its compile unit by name."""
        if self.unit is None:
            return ""
        version = module.node('!{i32 2, !"Debug Info Version", i32 3}')
        dwarf = module.node('!{i32 7, !"Dwarf Version", i32 4}')
        return f"!llvm.module.flags = !{{!{version}, !{dwarf}}}\n!llvm.dbg.cu = !{{!{self.unit}}}\n"

    def file(self, module: ModuleText, name: str) -> int:
        """The node of a source file."""
        found = self.files.get(name)
        if found is None:
            path = Path(name)
            folder = str(path.parent) if path.is_absolute() else str(Path.cwd())
            base = path.name if path.is_absolute() else name
            text = f"!DIFile(filename: {_quoted(base)}, directory: {_quoted(folder)})"
            found = self.files[name] = module.node(text)
        return found

    def function(self, module: ModuleText, op: llvm.FuncOp) -> int:
        """The node of a function that is defined."""
        place = self.place_of(op) or Location("<unknown>", 0)
        file = self.file(module, place.file)
        if self.unit is None:
            self.unit = module.node(
                f"distinct !DICompileUnit(language: DW_LANG_C99, file: !{file}, "
                'producer: "stepwell", isOptimized: true, runtimeVersion: 0, '
                f"emissionKind: {self.emission})"
            )
            empty = module.node("!{null}")
            self.signature = module.node(f"!DISubroutineType(types: !{empty})")
        scope = module.node(
            f"distinct !DISubprogram(name: {_quoted(op.symbol)}, scope: !{file}, file: !{file}, "
            f"line: {place.line}, type: !{self.signature}, scopeLine: {place.line}, "
            f"spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !{self.unit})"
        )
        self.lines[scope] = (place.file, place.line)
        return scope

    def place(self, module: ModuleText, op: Operation, scope: int) -> int:
        """The node for the place of one instruction inside a function."""
        found = self.place_of(op)
        home, line = self.lines[scope]
        place = found or Location(home, line)
        inner = scope if place.file == home else self.scope_in(module, scope, place.file)
        key = (inner, place.file, place.line, place.column)
        number = self.places.get(key)
        if number is None:
            column = min(place.column, 0xFFFF)
            number = self.places[key] = module.node(
                f"!DILocation(line: {place.line}, column: {column}, scope: !{inner})"
            )
        return number

    def scope_in(self, module: ModuleText, scope: int, name: str) -> int:
        """The part of a function that was inlined from another file."""
        found = self.scopes.get((scope, name))
        if found is None:
            file = self.file(module, name)
            text = f"!DILexicalBlockFile(scope: !{scope}, file: !{file}, discriminator: 0)"
            found = self.scopes[scope, name] = module.node(text)
        return found

    def place_of(self, op: Operation) -> Location | None:
        """The place of an op itself (the same attribute is looked at once)."""
        found = self.located.get(id(op.location))
        if found is None:
            place = location_from_attribute(op.location)
            found = self.located[id(op.location)] = (op.location, place)
        return found[1]


def _quoted(text: str) -> str:
    from .llvm_constants import quoted

    return quoted(text)
