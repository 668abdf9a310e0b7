"""What can be counted in the machine code (SASS) of one kernel.

*Instructions* are those of the kernel itself: not the functions that it calls (such as a division
of 64 bits), nor padding (`NOP`, and the branch to itself behind the end).

A *loop* is what lies between the target of a backward branch and that branch, if there is a way
from the target to the branch that stays in between (else it is code that was moved out of line, and
comes back); an innermost loop has no other one inside. Compilers unroll, and keep a loop for the
rest; so loops that do the same kind of work (the same of: global load or asynchronous copy, shared
load, float or matrix arithmetic, global store) are one *pass* over the data, and of these the loop
counts that takes the fewest instructions for each of its *steps*. A step is one global load or
asynchronous copy, or where a loop has none, one shared load. The figure of a kernel, *instructions
per step*, is the sum over its passes; a kernel without a loop has its number of instructions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_LINE = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(@!?U?P\w+\s+)?([A-Z][\w.]*)\s*(.*?)\s*;")
_LABEL = re.compile(r"^(\.L\w+):")
_FUNCTION = re.compile(r"^(\$?\w[\w$]*):")
_SECTION = re.compile(r"^\s*\.section\s+\.text\.(\w+)")
_TARGET = re.compile(r"\(?(\.L\w+)\)?")


@dataclass(frozen=True)
class Instruction:
    """One of them: `LDG.E.128` is `name`, where a branch goes is `target` (a place in the list).

    What follows is not reached from it if it `leaves`.
    """

    name: str
    target: int | None
    leaves: bool

    def starts(self, *names: str) -> bool:
        """Whether it is one of these, whatever its suffixes."""
        return self.name.split(".")[0] in names


@dataclass(frozen=True)
class Loop:
    """An innermost loop."""

    instructions: int
    steps: int
    kind: str

    @property
    def per_step(self) -> float:
        """Instructions for one step."""
        return self.instructions / self.steps


def instructions_of(sass: str, kernel: str) -> list[Instruction]:
    """The kernel's own instructions, in order, of what `nvdisasm -c` printed."""
    labels: dict[str, int] = {}
    found: list[tuple[str | None, str, str]] = []
    for line in _own_lines(sass, kernel):
        label = _LABEL.match(line)
        if label:
            labels[label[1]] = len(found)
        match = _LINE.search(line)
        if match and match[2] != "NOP":
            found.append((match[1], match[2], match[3]))
    if not found:
        raise ValueError(f"no instructions of {kernel} in what nvdisasm printed")
    made: list[Instruction] = []
    for guard, name, operands in found:
        kind = name.split(".")[0]
        target = _TARGET.search(operands) if kind == "BRA" else None
        place = labels.get(target[1]) if target else None
        leaves = guard is None and name in ("BRA", "EXIT", "RET.REL.NODEC", "RET")
        made.append(Instruction(name, place, leaves))
    if made and made[-1].target == len(made) - 1:
        made.pop()
    return made


def _own_lines(sass: str, kernel: str) -> Iterator[str]:
    """Those of the kernel's section, up to the next function."""
    inside = False
    for line in sass.splitlines():
        section = _SECTION.match(line)
        function = _FUNCTION.match(line)
        if section or re.match(r"\s*\.section\s", line):
            inside = section is not None and section[1] == kernel
        elif function and function[1] != kernel:
            inside = False
        elif inside:
            yield line


def loops_of(code: Sequence[Instruction]) -> list[Loop]:
    """The innermost loops that load something."""
    spans = {
        (instruction.target, place)
        for place, instruction in enumerate(code)
        if instruction.target is not None
        and instruction.target <= place
        and _reaches(code, instruction.target, place)
    }
    innermost = [
        (start, end)
        for start, end in sorted(spans)
        if not any((start, end) != (a, b) and start <= a and b <= end for a, b in spans)
    ]
    loops: list[Loop] = []
    for start, end in innermost:
        body = code[start : end + 1]
        kinds: dict[str, Callable[[Instruction], bool]] = {
            "load": lambda one: one.starts("LDG", "LD", "LDGSTS"),
            "shared": lambda one: one.starts("LDS", "LDSM"),
            "arithmetic": lambda one: one.starts("FADD", "FMUL", "FFMA", "MUFU", "HMMA"),
            "store": lambda one: one.starts("STG", "ST"),
        }
        counts = {name: sum(map(is_it, body)) for name, is_it in kinds.items()}
        steps = counts["load"] or counts["shared"]
        if steps:
            kind = " + ".join(name for name, number in counts.items() if number)
            loops.append(Loop(len(body), steps, kind))
    return loops


def _reaches(code: Sequence[Instruction], start: int, end: int) -> bool:
    """Whether there is a way from one place to a later one that stays in between."""
    seen: set[int] = set()
    todo = [start]
    while todo:
        place = todo.pop()
        if place in seen or not start <= place <= end:
            continue
        seen.add(place)
        target = code[place].target
        if target is not None:
            todo.append(target)
        if not code[place].leaves:
            todo.append(place + 1)
    return end in seen


def per_step(code: Sequence[Instruction], loops: Sequence[Loop]) -> float:
    """The figure of the kernel, see above."""
    best: dict[str, float] = {}
    for loop in loops:
        best[loop.kind] = min(loop.per_step, best.get(loop.kind, loop.per_step))
    return sum(best.values()) if best else float(len(code))


def widest_access(code: Sequence[Instruction]) -> int:
    """Bits of the widest global load or store."""
    widths = [0]
    for one in code:
        if one.starts("LDG", "STG", "LD", "ST", "LDGSTS"):
            match = re.search(r"\.(?:[US])?(8|16|64|128|256)\b", one.name)
            widths.append(int(match[1]) if match else 32)
    return max(widths)


def barriers(code: Sequence[Instruction]) -> int:
    """Barriers of the block, where they stand."""
    return sum(one.name.startswith("BAR.") for one in code)
