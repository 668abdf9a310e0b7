"""Which blocks of a region every path to a block leads through.

K. Cooper, T. Harvey, K. Kennedy: A Simple, Fast Dominance Algorithm, 2001.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, Region


def dominator_tree(region: Region) -> tuple[dict[Block, list[Block]], list[Block]]:
    """The blocks that each block dominates immediately, and the unreachable ones."""
    first = region.first_block
    assert first is not None, "a region without blocks has no entry"
    order: list[Block] = []  # reverse postorder, made by an explicit stack
    seen = {first}
    stack = [(first, iter(_successors(first)))]
    while stack:
        block, rest = stack[-1]
        following = next((b for b in rest if b not in seen), None)
        if following is None:
            order.append(block)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(_successors(following))))
    order.reverse()
    number = {block: i for i, block in enumerate(order)}
    predecessors: list[list[int]] = [[] for _ in order]
    for block in order:
        for successor in _successors(block):
            if successor in number:
                predecessors[number[successor]].append(number[block])
    parents = _immediate_dominators(predecessors)
    children: dict[Block, list[Block]] = {}
    for index, block in enumerate(order[1:], start=1):
        children.setdefault(order[parents[index]], []).append(block)
    return children, [block for block in region.blocks if block not in number]


def _immediate_dominators(predecessors: list[list[int]]) -> list[int]:
    parents = [-1] * len(predecessors)
    parents[0] = 0
    changed = True
    while changed:
        changed = False
        for index in range(1, len(predecessors)):
            known = [p for p in predecessors[index] if parents[p] >= 0]
            new = known[0]
            for other in known[1:]:
                while new != other:
                    if new > other:
                        new = parents[new]
                    else:
                        other = parents[other]
            if parents[index] != new:
                parents[index], changed = new, True
    return parents


def _successors(block: Block) -> Sequence[Block]:
    last = block.last_op
    return last._successors if last is not None else ()  # pyright: ignore[reportPrivateUsage]
