"""What kinds of loops a text has: `kinds_of_loops(text)`, for what LLVM need not do.

b3:
  %t = phi i64 [ 0, %b2 ], [ %next, %b4 ]
  …
  br label %b3, !llvm.loop !18             a loop that ends with this branch back
!14 = !{!"llvm.loop.parallel_accesses", !8}
!18 = distinct !{!18, !14, …}              over threads: they have nothing to wait for
!14 = !{!"llvm.loop.isvectorized", i32 1}  over vectors of threads, if it is this
"""

from __future__ import annotations

import re
from enum import Enum

_LINE = re.compile(r"(define )|([\w.$-]+):|  br .*|  switch .*")
_TARGET = re.compile(r"label %([\w.$-]+)")
_MARK = re.compile(r"!llvm\.loop !(\d+)")
_HINT = re.compile(r'^!(\d+) = !\{!"llvm\.loop\.(parallel_accesses|isvectorized)"', re.MULTILINE)
_NODE = re.compile(r"^!(\d+) = distinct !\{!\d+, !(\d+)", re.MULTILINE)


class Kind(Enum):
    """What the iterations of a loop are."""

    THREADS = "parallel_accesses"
    VECTORS = "isvectorized"
    OTHER = ""


def kinds_of_loops(text: str) -> frozenset[Kind]:
    """The kinds of those loops that have no other inside.

    A branch to a block that stands before it counts as the end of a loop.
    """
    hints = {number: Kind(word) for number, word in _HINT.findall(text)}
    marked = {node: hints[first] for node, first in _NODE.findall(text) if first in hints}
    loops = _loops(text)
    spans = {(start, end) for start, end, _ in loops}

    def is_innermost(start: int, end: int) -> bool:
        return not any(start <= a and b <= end for a, b in spans - {(start, end)})

    return frozenset(
        marked.get(mark, Kind.OTHER) for start, end, mark in loops if is_innermost(start, end)
    )


def _loops(text: str) -> list[tuple[int, int, str]]:
    """First and last block of each loop, counted through the text, and the node of its mark."""
    found: list[tuple[int, int, str]] = []
    places: dict[str, int] = {}
    count = 0
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        if match[1]:
            places.clear()
        elif match[2]:
            count += 1
            places[match[2]] = count
        else:
            mark = _MARK.search(line)
            back = [places[name] for name in _TARGET.findall(line) if name in places]
            found += [(start, count, mark[1] if mark else "") for start in back]
    return found
