"""What kinds of loops a text has: `only_thread_loops(text)`, for what LLVM need not do.

b3:
  %t = phi i64 [ 0, %b2 ], [ %next, %b4 ]
  …
  br label %b3, !llvm.loop !18             a loop that ends with this branch back
!14 = !{!"llvm.loop.parallel_accesses", !8}
!18 = distinct !{!18, !14, …}              over threads: they have nothing to wait for
"""

from __future__ import annotations

import re
from functools import lru_cache

_LINE = re.compile(r"(define )|([\w.$-]+):|  br .*|  switch .*")
_TARGET = re.compile(r"label %([\w.$-]+)")
_MARK = re.compile(r"!llvm\.loop !(\d+)")
_PARALLEL = re.compile(r'^!(\d+) = !\{!"llvm\.loop\.parallel_accesses"', re.MULTILINE)
_NODE = re.compile(r"^!(\d+) = distinct !\{!\d+, !(\d+)", re.MULTILINE)


@lru_cache(maxsize=1)  # the optimiser and the code generator both ask
def only_thread_loops(text: str) -> bool:
    """Whether every loop that has no other inside is one over threads.

    A branch to a block that stands before it counts as the end of a loop.
    """
    parallel = set(_PARALLEL.findall(text))
    marked = {node for node, first in _NODE.findall(text) if first in parallel}
    loops = _loops(text)
    spans = {(start, end) for start, end, _ in loops}

    def is_innermost(start: int, end: int) -> bool:
        return not any(start <= a and b <= end for a, b in spans - {(start, end)})

    return all(mark in marked for start, end, mark in loops if is_innermost(start, end))


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
