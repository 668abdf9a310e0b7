"""What is known about integer values: a small symbolic range analysis, by difference bounds.

Everything known has the form `a <= b + c` for two *nodes* and a number c. A node is an integer SSA
value, the size of a memref axis, an id, or ZERO; `3 <= i` is `ZERO <= i - 3`. Two kinds of bounds:

- *definitions*, which always hold: `i & 255 <= 255`, a loop's index is below its upper bound, an id
  is below the size it counts; asked for when needed (`range_definitions`);
- *facts*, which hold where control is: the condition of the `scf.if` around, a check that passed.
  They are added going into a region and dropped going out (`mark`, `drop`).

Numbers are mathematical integers: `i + 1` is only taken apart where it cannot wrap. For that, ids,
array sizes and launch extents are assumed to stay below an eighth of the range of `index`
(2^61, or 2^29 where `index` has 32 bits): no device has such arrays or grids. How many blocks
there are along a dimension, in any launch and in a small one (`gpux.small`), is said in
`dialects/marks.py`.

The idea is that of ABCD (R. Bodik, R. Gupta, V. Sarkar, PLDI 2000), on structured control flow.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith, func, memref
from xdsl.dialects.builtin import IntegerType, MemRefType
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import gpu, marks
from ..utils.block_editing import constant_value, integer_bits
from .difference_bounds import ZERO, Bound, Definition, Node
from .launch_limits import LIMITS, SMALL_LIMITS, known_size, launch_arguments
from .range_conditions import assume
from .range_definitions import define

_DEPTH = 12  # of definitions looked through
_STEPS = 48  # nodes looked at in one proof
_CASES = 24  # values that are one thing or another, looked into in one proof


class Ranges:
    """The analysis of one function; see the module's head."""

    def __init__(self, function: Operation | None = None, index_bits: int = 64):
        self.index_bits = index_bits
        self.function = function if isinstance(function, gpu.FuncOp | func.FuncOp) else None
        self.small = function is not None and marks.SMALL in function.attributes
        self.limit = marks.SMALL_SIZE if self.small else 1 << (index_bits - 3)  # of ids and sizes
        self.values: dict[Node, SSAValue] = {}
        self._upper: dict[Node, list[Bound]] = {}
        self._lower: dict[Node, list[Bound]] = {}
        self._trail: list[tuple[Node, Node]] = []
        self._bounds: dict[int, Bound] = {}
        self._definitions: dict[Node, Definition] = {}
        self._ends: dict[tuple[Node, bool], int] = {}
        self._launch = launch_arguments(self.function)
        self._depth = 0
        self._cases_left = _CASES

    # Facts

    def mark(self) -> int:
        """The facts of now, for `drop`."""
        return len(self._trail)

    def drop(self, mark: int) -> None:
        """Forgets the facts added since `mark`."""
        if len(self._trail) == mark:
            return
        while len(self._trail) > mark:
            a, b = self._trail.pop()
            self._upper[a].pop()
            self._lower[b].pop()
        self._forget()

    def _forget(self) -> None:
        self._bounds.clear()
        self._definitions.clear()
        self._ends.clear()

    def add(self, a: SSAValue, b: SSAValue, c: int) -> None:
        """From now on `a <= b + c`."""
        (node_a, offset_a), (node_b, offset_b) = self.bound(a), self.bound(b)
        self.add_bound(node_a, node_b, c + offset_b - offset_a)

    def add_bound(self, a: Node, b: Node, c: int) -> None:
        """From now on `a <= b + c`, for nodes."""
        if a == b:
            return
        self._upper.setdefault(a, []).append((b, c))
        self._lower.setdefault(b, []).append((a, -c))
        self._trail.append((a, b))
        self._forget()
        if a == ZERO and isinstance(b, int):
            self._add_factor(b, c)

    def _add_factor(self, product: int, c: int) -> None:
        """From `0 <= n * a + c` what `a` is at least."""
        op = self.values[product].owner
        factor = constant_value(op.rhs) if isinstance(op, arith.MuliOp) else None
        if factor is None or factor < 2 or not isinstance(op, arith.MuliOp):
            return
        (low, high), (least, most) = self.interval(op.lhs), self.type_range(op.result.type)
        if least <= low * factor and high * factor <= most:
            node, offset = self.bound(op.lhs)
            self.add_bound(ZERO, node, offset + c // factor)

    # Values as node + number

    def type_range(self, type_: Attribute) -> tuple[int, int]:
        """The signed numbers that fit a type."""
        bits = integer_bits(type_) or self.index_bits
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    def bound(self, value: SSAValue) -> Bound:
        """`value` as a node plus a number; equal values get equal results as far as is known."""
        found = self._bounds.get(id(value))
        if found is None:
            found = self._bounds[id(value)] = self._find_bound(value)
        return found

    def _find_bound(self, value: SSAValue) -> Bound:
        op = value.owner
        number = constant_value(value)
        if number is not None:
            if value.type == _I1:
                return ZERO, number & 1
            low, high = self.type_range(value.type)
            return ZERO, (number - low) % (high - low + 1) + low
        if self._depth >= _DEPTH or not isinstance(op, Operation):
            node = self._launch.get(value)
            return self._leaf(value) if node is None else (node, 0)
        self._depth += 1
        try:
            if isinstance(op, arith.AddiOp):
                return self._sum(value, op.lhs, op.rhs, 1)
            if isinstance(op, arith.SubiOp):
                return self._sum(value, op.lhs, op.rhs, -1)
            if isinstance(op, memref.DimOp):
                axis = constant_value(op.index)
                return self.size(op.source, axis) if axis is not None else self._leaf(value)
            if isinstance(op, gpu.DimensionOp):
                return self._dimension(op)
            if isinstance(op, _CASTS) and self.keeps_number(op):
                return self.bound(op.operands[0])
        finally:
            self._depth -= 1
        return self._leaf(value)

    def _leaf(self, value: SSAValue) -> Bound:
        self.values[id(value)] = value
        return id(value), 0

    def _sum(self, value: SSAValue, a: SSAValue, b: SSAValue, sign: int) -> Bound:
        """`a + b` or `a - b` where one is a number and nothing wraps."""
        (node_a, offset_a), (node_b, offset_b) = self.bound(a), self.bound(b)
        if not self.adds_up(value, a, b, sign):
            return self._leaf(value)
        if node_b == ZERO:
            return node_a, offset_a + sign * offset_b
        if node_a == ZERO and sign == 1:
            return node_b, offset_a + offset_b
        if node_a == node_b and sign == -1:
            return ZERO, offset_a - offset_b
        return self._leaf(value)

    def adds_up(self, value: SSAValue, a: SSAValue, b: SSAValue, sign: int) -> bool:
        """Whether `a + sign * b` fits the type of `value`."""
        low, high = self.type_range(value.type)
        (low_a, high_a), (low_b, high_b) = self.interval(a), self.interval(b)
        if sign < 0:
            low_b, high_b = -high_b, -low_b
        return low <= low_a + low_b and high_a + high_b <= high

    def keeps_number(self, op: Operation) -> bool:
        """Whether a cast gives the signed number that it takes."""
        source, target = op.operands[0], op.results[0]
        if isinstance(op, arith.ExtSIOp):
            return source.type != _I1
        low, high = self.interval(source)
        if isinstance(op, arith.ExtUIOp):
            return low >= 0
        target_low, target_high = self.type_range(target.type)
        return target_low <= low and high <= target_high

    def size(self, view: SSAValue, axis: int) -> Bound:
        """The size of a memref's axis: constant, that of the view's origin, or a node."""
        type_ = view.type
        assert isinstance(type_, MemRefType), "only memrefs have sizes"
        shape = type_.get_shape()
        if not 0 <= axis < len(shape):
            return ("axis", id(view), axis), 0
        if shape[axis] >= 0:
            return ZERO, shape[axis]
        op = view.owner
        if isinstance(op, memref.CastOp):
            if isinstance(op.source.type, MemRefType):
                return self.size(op.source, axis)
        elif isinstance(op, memref.SubviewOp):
            size = _subview_size(op, axis)
            if isinstance(size, int):
                return ZERO, size
            if size is not None:
                return self.bound(size)
        node = ("axis", id(view), axis)
        self.values[node] = view
        return node, 0

    def _dimension(self, op: gpu.DimensionOp) -> Bound:
        """An id or size of the launch: constant where the kernel knows it."""
        sizes: Sequence[int] | None = None
        if self.function is not None and isinstance(op, gpu.BlockDimOp | gpu.GridDimOp):
            what = "block" if isinstance(op, gpu.BlockDimOp) else "grid"
            sizes = known_size(self.function, what)
        if sizes is not None:
            return ZERO, sizes[op.axis]
        return (op.name, op.axis, 0), 0

    # Intervals

    def interval(self, value: SSAValue) -> tuple[int, int]:
        """The least and the greatest signed number that a value can be."""
        return self.end(value, upper=False), self.end(value, upper=True)

    def end(self, value: SSAValue, *, upper: bool) -> int:
        """The one or the other."""
        node, offset = self.bound(value)
        if node == ZERO:
            return offset
        low, high = (0, 1) if value.type == _I1 else self.type_range(value.type)
        number = self._node_end(node, upper) + offset
        return min(high, number) if upper else max(low, number)

    def node_interval(self, node: Node) -> tuple[int, int]:
        """The least and the greatest number that a node can be."""
        return self._node_end(node, False), self._node_end(node, True)

    def _node_end(self, node: Node, upper: bool) -> int:
        """One end; the other is left alone, so that a size has the greatest number that it has
        though an index below it is looked at, whose loop ends there."""
        found = self._ends.get((node, upper))
        if found is not None:
            return found
        if node == ZERO:
            return 0
        end = self._natural_interval(node)[upper]
        if self._depth >= _DEPTH:
            return end
        self._ends[node, upper] = end  # what a cycle of facts sees
        self._depth += 1
        better = min if upper else max
        for other, number in self.bounds_of(node, upper=upper):
            end = better(end, self._node_end(other, upper) + number)
        self._depth -= 1
        self._ends[node, upper] = end
        return end

    def _natural_interval(self, node: Node) -> tuple[int, int]:
        if isinstance(node, tuple):
            limits = SMALL_LIMITS if self.small else LIMITS
            return 0, min(self.limit, limits.get(node[0], self.limit))
        value = self.values[node]
        return (0, 1) if value.type == _I1 else self.type_range(value.type)

    def facts_of(self, node: Node, *, upper: bool) -> list[Bound]:
        """The facts on one side of a node."""
        return list((self._upper if upper else self._lower).get(node, ()))

    def bounded_nodes(self) -> list[Node]:
        """The nodes of which facts say what they are at most."""
        return [node for node, bounds in self._upper.items() if bounds]

    def bounds_of(self, node: Node, *, upper: bool) -> list[Bound]:
        """The bounds on one side of a node, by facts and by definition."""
        facts = (self._upper if upper else self._lower).get(node, [])
        definition = self.definition(node)
        return [*facts, *(definition.upper if upper else definition.lower)]

    def definition(self, node: Node) -> Definition:
        """What follows from how the node is computed."""
        found = self._definitions.get(node)
        if found is None:
            if self._depth >= _DEPTH:
                return Definition()
            self._definitions[node] = Definition()  # what a cycle sees
            found = self._definitions[node] = define(self, node)
        return found

    # Proofs

    def proves(self, a: SSAValue, b: SSAValue, c: int) -> bool:
        """Whether `a <= b + c` is known."""
        (node_a, offset_a), (node_b, offset_b) = self.bound(a), self.bound(b)
        return self.proves_bound(node_a, node_b, c + offset_b - offset_a)

    def proves_bound(self, a: Node, b: Node, c: int) -> bool:
        """Whether `a <= b + c` is known, for nodes."""
        if a == b:
            return c >= 0
        if self._depth >= _DEPTH:
            return False
        if self._depth == 0:
            self._cases_left = _CASES
        self._depth += 1
        try:
            above, below = self.reach(a, upper=True), self.reach(b, upper=False)
            if any(n in below and number <= below[n] + c for n, number in above.items()):
                return True
            return any(
                self._proves_cases(node, number, b, c, above=True) for node, number in above.items()
            ) or any(
                self._proves_cases(node, number, a, c, above=False)
                for node, number in below.items()
            )
        finally:
            self._depth -= 1

    def reach(self, start: Node, *, upper: bool) -> dict[Node, int]:
        """The best number for each node that bounds `start` from above (or below)."""
        sign = 1 if upper else -1
        best: dict[Node, int] = {start: 0}
        queue, steps = [start], 0
        while queue and steps < _STEPS:
            node = queue.pop(0)
            if node == ZERO:
                continue  # where the two searches meet: everything known is next to it
            steps += 1
            edges = self.bounds_of(node, upper=upper)
            low, high = self._natural_interval(node)
            edges.append((ZERO, high if upper else low))
            for other, number in edges:
                total = best[node] + number
                if other not in best or sign * total < sign * best[other]:
                    best[other] = total
                    queue.append(other)
        return best

    def _proves_cases(self, node: Node, number: int, other: Node, c: int, *, above: bool) -> bool:
        """Whether the bound holds for each of the values that a node may be."""
        cases = self.definition(node).cases
        if not cases or self._depth >= _DEPTH - 2 or self._cases_left <= 0:
            return False
        self._cases_left -= 1
        for value, condition, outcome in cases:
            mark = self.mark()
            if condition is not None:
                assume(self, condition, outcome)
            case, offset = self.bound(value)
            if above:  # start <= node + number <= other + c
                holds = self.proves_bound(case, other, c - number - offset)
            else:  # other <= node + number + c
                holds = self.proves_bound(other, case, c + number + offset)
            self.drop(mark)
            if not holds:
                return False
        return True


_I1 = IntegerType(1)
_CASTS = (arith.IndexCastOp, arith.ExtSIOp, arith.ExtUIOp, arith.TruncIOp)


def _subview_size(op: memref.SubviewOp, axis: int) -> SSAValue | int | None:
    """The size of a subview's axis; axes of size 1 that the result has not are skipped."""
    sizes: list[SSAValue | int] = []
    dynamic = iter(op.sizes)
    for size in op.static_sizes.get_values():
        sizes.append(int(size) if size >= 0 else next(dynamic))
    shape = op.result.type.get_shape()
    if len(sizes) != len(shape):
        kept = [s for s in sizes if s != 1]
        if len(kept) != len(shape):
            return None
        sizes = kept
    return sizes[axis]


def is_non_negative(value: SSAValue) -> bool:
    """Whether a value is never negative, by its definition alone."""
    return Ranges().interval(value)[0] >= 0
