"""What an index is at most in all threads of a launch, as a number that the launch knows.

    64 * block_id + thread_id, blocks of 64          64 * grid - 1
    k + 31, for k in range(0, n, 32)                 32 * ((n - 1) // 32) + 31
    8 * i + 7, where 8 * i + 8 < n                   8 * ((n - 9) // 8) + 7

By how the index is computed, by the facts that hold where it is used (`value_ranges`), and by what
it is a multiple of. Several bounds may be known, as of `i < min(m, n)`.
"""

from __future__ import annotations

from math import gcd, prod
from typing import Any, TypeAlias

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Block, Operation, SSAValue

from ...dialects import gpu, gpux, marks, simt
from ..utils.block_editing import constant_value, is_integer
from .difference_bounds import ZERO, Node
from .launch_limits import known_size
from .launch_numbers import LaunchNumber, Term, best_of
from .range_definitions import is_of_launch
from .value_ranges import Ranges

MOST_ELEMENTS = 1 << 16  # larger constants are limits of types and grids, not bounds that are meant
_DEPTH = 10
_OPTIONS = 6
# What a node is a multiple of, and the rest: (0, c) is the constant c.
_Steps: TypeAlias = tuple[int, int]
_SHAPES = {
    gpu.GridDimOp.name: marks.GRID_SIZE,
    gpu.BlockDimOp.name: marks.BLOCK_SIZE,
    simt.GlobalSizeOp.name: marks.GRID_THREADS,
}


class LaunchBounds:
    """Bounds of one kernel's values; the facts are those that `ranges` has when it is asked."""

    def __init__(self, ranges: Ranges, kernel: gpu.FuncOp):
        self.ranges = ranges
        self.kernel = kernel
        self._places = _places(ranges, kernel)
        self._block = known_size(kernel, "block")
        self._known: dict[Node, list[LaunchNumber]] = {}
        self._depth = 0

    def upper(self, node: Node, offset: int) -> list[LaunchNumber]:
        """What `node + offset` is at most, the most useful bound first."""
        self._known = {}
        return [one.shifted(offset) for one in self._of_node(node)]

    def exact(self, node: Node, number: int) -> LaunchNumber | None:
        """`node + number` where a launch knows it."""
        if node == ZERO:
            return LaunchNumber(number)
        place = self._place(node)
        return None if place is None else place.shifted(number)

    def _place(self, node: Node) -> LaunchNumber | None:
        found = self._places.get(node)
        if found is None and isinstance(node, tuple) and node[0] in _SHAPES:
            found = self._shape(_SHAPES[node[0]], node[1])
        if found is None and isinstance(node, tuple) and node[0] == "axis":
            row = _row_bytes(self.ranges.values[node])
            if row and node[2] == 0:
                found = LaunchNumber(0, ((Term(marks.SHARED_BYTES, 0, 0, row), 1),))
        return found

    def _shape(self, kind: int, axis: int) -> LaunchNumber:
        """A size of the grid or the block; of threads where blocks are of a known size."""
        if kind == marks.GRID_THREADS and self._block is not None:
            return self._shape(marks.GRID_SIZE, axis).times(self._block[axis])
        return LaunchNumber(0, ((Term(kind, axis), 1),))

    def _of_value(self, value: SSAValue) -> list[LaunchNumber]:
        node, offset = self.ranges.bound(value)
        return [one.shifted(offset) for one in self._of_node(node)]

    def _of_node(self, node: Node) -> list[LaunchNumber]:
        place = self.exact(node, 0)
        if place is not None:
            return [place]
        found = self._known.get(node)
        if found is None:
            if self._depth >= _DEPTH:
                return []
            self._known[node] = []  # what a cycle sees
            self._depth += 1
            found = self._known[node] = self._find(node)
            self._depth -= 1
        return found

    def _find(self, node: Node) -> list[LaunchNumber]:
        ranges = self.ranges
        found = self._structure(node)
        for other, number in ranges.bounds_of(node, upper=True):
            if other != ZERO:
                found += [_inexact(one).shifted(number) for one in self._of_node(other)]
        found += self._solved(node)
        most = ranges.node_interval(node)[1]
        if most <= MOST_ELEMENTS:
            found.append(LaunchNumber(most, exact=False))
        step, rest = self._steps(node, 0)
        return best_of((one if one.exact else _rounded(one, step, rest) for one in found), _OPTIONS)

    def _structure(self, node: Node) -> list[LaunchNumber]:
        """By how a node is computed."""
        if isinstance(node, tuple):
            if node[0] == gpu.GlobalIdOp.name and self._block is not None:
                size = self._block[node[1]]
                blocks = self._of_node((gpu.BlockIdOp.name, node[1], 0))
                return [one.times(size).shifted(size - 1) for one in blocks]
            return []
        op = self.ranges.values[node].owner
        if isinstance(op, Block):
            return []
        rule = _RULES.get(type(op))
        return rule(self, op) if rule is not None else []

    def _solved(self, node: Node) -> list[LaunchNumber]:
        """By facts about `c * node + k`."""
        found: list[LaunchNumber] = []
        for known in self.ranges.bounded_nodes():
            line = self._line(known) if isinstance(known, int) and known != node else None
            if line is None or line[1] != node:
                continue
            factor, _, number = line
            for other, offset in self.ranges.facts_of(known, upper=True):
                for one in self._of_node(other):
                    solved = one.shifted(offset - number).divided(factor)
                    found += [] if solved is None else [_inexact(solved)]
        return found

    def _line(self, node: Node) -> tuple[int, Node, int] | None:
        """A node as (c, other, k): `c * other + k`, with c > 1."""
        op = self.ranges.values[node].owner if isinstance(node, int) and node else None
        if not isinstance(op, arith.MuliOp):
            return None
        factor = constant_value(op.rhs)
        if factor is None or factor < 1 or not _fits(self.ranges, op, factor):
            return None
        inner, offset = self.ranges.bound(op.lhs)
        line = self._line(inner) or (1, inner, 0)
        return factor * line[0], line[1], factor * (line[2] + offset)

    def _steps(self, node: Node, depth: int) -> _Steps:
        """What a node is a multiple of, and the rest."""
        if node == ZERO:
            return 0, 0
        if isinstance(node, tuple) or depth > _DEPTH:
            return 1, 0
        value = self.ranges.values[node]
        op = value.owner
        if isinstance(op, Block):
            return self._steps_of_loop(op, value, depth)
        if isinstance(op, arith.AddiOp):
            a, b = (self._steps_of(operand, depth) for operand in op.operands)
            return _reduced(gcd(a[0], b[0]), a[1] + b[1])
        if isinstance(op, arith.MuliOp):
            a, b = (self._steps_of(operand, depth) for operand in op.operands)
            for (step, rest), (other, factor) in ((a, b), (b, a)):
                if other == 0:
                    return _reduced(step * abs(factor), rest * factor)
            return _reduced(a[0] * b[0], 0) if a[1] == b[1] == 0 else (1, 0)
        return 1, 0

    def _steps_of(self, value: SSAValue, depth: int) -> _Steps:
        node, offset = self.ranges.bound(value)
        step, rest = self._steps(node, depth + 1)
        return _reduced(step, rest + offset)

    def _steps_of_loop(self, block: Block, value: SSAValue, depth: int) -> _Steps:
        """The index of a loop that does not wrap."""
        loop = block.parent_op()
        if not isinstance(loop, scf.ForOp) or value is not block.args[0]:
            return 1, 0
        _, high = self.ranges.type_range(value.type)
        low_step, high_step = self.ranges.interval(loop.step)
        if low_step < 1 or self.ranges.end(loop.ub, upper=True) + high_step > high:
            return 1, 0
        (first, rest), (by, more) = (self._steps_of(v, depth) for v in (loop.lb, loop.step))
        return _reduced(gcd(first, by, more), rest)

    # How values are computed

    def add(self, op: arith.AddiOp) -> list[LaunchNumber]:
        """Each bound of one operand with each of the other."""
        if not self.ranges.adds_up(op.result, op.lhs, op.rhs, 1):
            return []
        others = self._of_value(op.rhs)
        return [one.plus(other) for one in self._of_value(op.lhs) for other in others]

    def subtract(self, op: arith.SubiOp) -> list[LaunchNumber]:
        """What is known exactly is taken away, or what is taken away at least."""
        if not self.ranges.adds_up(op.result, op.lhs, op.rhs, -1):
            return []
        exact = [one for one in self._of_value(op.rhs) if one.exact]
        if exact:
            return [one.plus(exact[0], -1) for one in self._of_value(op.lhs)]
        least, _ = self.ranges.interval(op.rhs)
        return [_inexact(one).shifted(-least) for one in self._of_value(op.lhs)]

    def multiply(self, op: arith.MuliOp) -> list[LaunchNumber]:
        """By a number, or a block's id by the size of a block."""
        if is_of_launch(self.ranges, op):
            return self._of_launch(op)
        for value, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
            factor = constant_value(other)
            if factor is not None and factor >= 0 and _fits(self.ranges, op, factor, value):
                return [one.times(factor) for one in self._of_value(value)]
        return []

    def _of_launch(self, op: arith.MuliOp) -> list[LaunchNumber]:
        (node, _), (other, _) = (self.ranges.bound(operand) for operand in op.operands)
        names = [one[0] for one in (node, other) if isinstance(one, tuple)]
        axis = next(one[1] for one in (node, other) if isinstance(one, tuple))
        threads = self._shape(marks.GRID_THREADS, axis)
        if gpu.BlockIdOp.name not in names:
            return [threads]
        return [_inexact(threads.plus(self._shape(marks.BLOCK_SIZE, axis), -1))]

    def divide(self, op: Operation) -> list[LaunchNumber]:
        """Of what is not negative, by a number."""
        value, divisor = op.operands[0], constant_value(op.operands[1])
        if divisor is not None and isinstance(op, arith.ShRSIOp | arith.ShRUIOp):
            divisor = 1 << divisor if 0 <= divisor < 32 else None
        if divisor is None or divisor < 1 or self.ranges.interval(value)[0] < 0:
            return []
        quotients = [one.divided(divisor) for one in self._of_value(value)]
        return [one for one in quotients if one is not None]

    def choose(self, op: Operation) -> list[LaunchNumber]:
        """The greater one of two, if these differ by a number."""
        return [
            _inexact(one if one.number >= other.number else other)
            for one in self._of_value(op.operands[-2])
            for other in self._of_value(op.operands[-1])
            if one.terms == other.terms
        ]


_RULES: dict[type[Operation], Any] = {
    arith.AddiOp: LaunchBounds.add,
    arith.SubiOp: LaunchBounds.subtract,
    arith.MuliOp: LaunchBounds.multiply,
    arith.DivSIOp: LaunchBounds.divide,
    arith.DivUIOp: LaunchBounds.divide,
    simt.FloorDivOp: LaunchBounds.divide,
    arith.ShRSIOp: LaunchBounds.divide,
    arith.ShRUIOp: LaunchBounds.divide,
    arith.SelectOp: LaunchBounds.choose,
    arith.MaxSIOp: LaunchBounds.choose,
}


def _places(ranges: Ranges, kernel: gpu.FuncOp) -> dict[Node, LaunchNumber]:
    """Sizes of the kernel's arrays, its scalars, and extents."""
    places: dict[Node, LaunchNumber] = {}
    for position, value in enumerate(kernel.parameters):
        kind: Any = value.type
        if isinstance(kind, MemRefType):
            for axis, size in enumerate(kind.get_shape()):
                if size < 0:
                    node, _ = ranges.size(value, axis)
                    places[node] = LaunchNumber(0, ((Term(position, axis), 1),))
        elif is_integer(value.type):
            # What the host has is no less: it may be without a sign.
            node, _ = ranges.bound(value)
            places[node] = LaunchNumber(0, ((Term(position, 0), 1),), exact=False)
    for axis, value in enumerate(gpux.extents(kernel)):
        node = ranges.bound(value)[0]
        places[node] = places[simt.GlobalSizeOp.name, axis, 0] = LaunchNumber(
            0, ((Term(len(kernel.parameters) - 3 + axis, 0), 1),)
        )
    return places


def _row_bytes(view: SSAValue) -> int:
    """Bytes of a row of the launch's dynamic shared memory; 0 for other views."""
    kind: Any = view.type
    if not isinstance(view.owner, simt.SharedOp) or min(kind.get_shape()[1:], default=0) < 0:
        return 0
    return kind.element_type.size * prod(kind.get_shape()[1:])


def _fits(ranges: Ranges, op: arith.MuliOp, factor: int, value: SSAValue | None = None) -> bool:
    """Whether a product by a number does not wrap."""
    (low, high), (least, most) = (
        ranges.interval(value or op.lhs),
        ranges.type_range(op.result.type),
    )
    return least <= low * factor and high * factor <= most


def _inexact(one: LaunchNumber) -> LaunchNumber:
    return LaunchNumber(one.number, one.terms, exact=False)


def _reduced(step: int, rest: int) -> _Steps:
    return step, rest % step if step else rest


def _rounded(one: LaunchNumber, step: int, rest: int) -> LaunchNumber:
    """The greatest `step * k + rest` that is not above a bound, where that can be said."""
    if step < 2:
        return one
    steps = one.shifted(-rest).divided(step)
    return one if steps is None else steps.times(step).shifted(rest)
