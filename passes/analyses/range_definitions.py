"""The bounds that follow from how a value is computed: one function per op, in a table.

A bound `(node, c)` in `upper` says value <= node + c. Values are signed numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from xdsl.dialects import arith, scf
from xdsl.ir import Block, Operation, SSAValue

from ...dialects import gpu, gpux, simt
from ...dialects.predicates import EQ, NE
from ..utils.block_editing import constant_value, integer_bits, is_integer
from .difference_bounds import ZERO, Bound, Cases, Definition, Node
from .launch_limits import known_size

if TYPE_CHECKING:
    from .value_ranges import Ranges

_SIZES = {"gpu.thread_id": gpu.BlockDimOp.name, "gpu.block_id": gpu.GridDimOp.name}


def define(ranges: Ranges, node: Node) -> Definition:
    """The bounds of a node by its definition."""
    if node == ZERO:
        return Definition()
    if isinstance(node, tuple):
        return _launch(ranges, node)
    value = ranges.values[node]
    op = value.owner
    if isinstance(op, Block):
        return _argument(ranges, op, value)
    if isinstance(op, scf.IfOp):
        number = next(n for n, result in enumerate(op.results) if result is value)
        return _choice(ranges, value, if_cases(op, number))
    rule = _RULES.get(type(op))
    return rule(ranges, op) if rule is not None else Definition()


def _launch(ranges: Ranges, node: tuple[str, int, int]) -> Definition:
    """Ids are below the sizes that they count; sizes are at least 1."""
    name, axis, _ = node
    if name in (gpu.BlockDimOp.name, gpu.GridDimOp.name, simt.GlobalSizeOp.name):
        return Definition(lower=[(ZERO, 1)])
    found = Definition(lower=[(ZERO, 0)])
    if name in _SIZES:
        what = "block" if name == "gpu.thread_id" else "grid"
        sizes = known_size(ranges.function, what) if ranges.function is not None else None
        size: Bound = ((_SIZES[name], axis, 0), 0) if sizes is None else (ZERO, sizes[axis])
        found.upper.append((size[0], size[1] - 1))
    elif name == gpu.GlobalIdOp.name:
        found.upper.append(((simt.GlobalSizeOp.name, axis, 0), -1))
        block = known_size(ranges.function, "block") if ranges.function is not None else None
        if block is not None:
            first, _ = ranges.node_interval((gpu.BlockIdOp.name, axis, 0))
            found.lower.append((ZERO, first * block[axis]))
        found.upper.extend(_extent(ranges, axis))
    return found


def _extent(ranges: Ranges, axis: int) -> list[Bound]:
    """In a kernel launched over a shape, a global id is below the extent of its axis."""
    function = ranges.function
    extents = gpux.extents(function) if isinstance(function, gpu.FuncOp) else ()
    if not extents:
        return []
    node, offset = ranges.bound(extents[axis])
    return [(node, offset - 1)]


def _argument(ranges: Ranges, block: Block, value: SSAValue) -> Definition:
    """A loop's index lies between its bounds."""
    loop = block.parent_op()
    if not isinstance(loop, scf.ForOp) or value is not block.args[0]:
        return _extent_parameter(ranges, block, value)
    node, offset = ranges.bound(loop.ub)
    found = Definition(upper=[(node, offset - 1)])
    _, high = ranges.type_range(value.type)
    step_low, step_high = ranges.interval(loop.step)
    # `index + step` is computed once behind the last iteration; it must not wrap round.
    if step_low >= 1 and (step_high == 1 or ranges.end(loop.ub, upper=True) + step_high <= high):
        found.lower.append(ranges.bound(loop.lb))
    return found


def _extent_parameter(ranges: Ranges, block: Block, value: SSAValue) -> Definition:
    """The extents of a launch over a shape; at least 1, or no thread would be there."""
    function = ranges.function
    if not isinstance(function, gpu.FuncOp) or block is not function.entry:
        return Definition()
    if value not in gpux.extents(function):
        return Definition()
    return Definition(lower=[(ZERO, 1)], upper=[(ZERO, ranges.limit)])


def _id(ranges: Ranges, op: Operation) -> Definition:
    return Definition(lower=[(ZERO, 0)], upper=[(ZERO, ranges.limit)])


def _between(ranges: Ranges, value: SSAValue, low: int, high: int) -> Definition:
    """Bounds by numbers, where they say more than the type."""
    type_low, type_high = ranges.type_range(value.type)
    found = Definition()
    if low > type_low:
        found.lower.append((ZERO, low))
    if high < type_high:
        found.upper.append((ZERO, high))
    return found


def _add(ranges: Ranges, op: arith.AddiOp) -> Definition:
    if not ranges.adds_up(op.result, op.lhs, op.rhs, 1):
        return Definition()
    found = Definition()
    for a, b in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        (node, offset), (low, high) = ranges.bound(a), ranges.interval(b)
        found.lower.append((node, offset + low))
        found.upper.append((node, offset + high))
        subtrahend = _negated(ranges, b)
        if subtrahend is not None and ranges.proves(subtrahend, a, 0):
            found.lower.append((ZERO, 0))
    return found


def _negated(ranges: Ranges, value: SSAValue) -> SSAValue | None:
    """What `value` is -1 times of, as loops that count down compute it; nothing if it may wrap."""
    op = value.owner
    if not isinstance(op, arith.MuliOp) or constant_value(op.rhs) != -1:
        return None
    least, _ = ranges.type_range(value.type)
    return op.lhs if ranges.interval(op.lhs)[0] > least else None


def _subtract(ranges: Ranges, op: arith.SubiOp) -> Definition:
    if not ranges.adds_up(op.result, op.lhs, op.rhs, -1):
        return Definition()
    (node, offset), (low, high) = ranges.bound(op.lhs), ranges.interval(op.rhs)
    found = Definition(lower=[(node, offset - high)], upper=[(node, offset - low)])
    for distance in (1, 0):
        if ranges.proves(op.rhs, op.lhs, -distance):
            found.lower.append((ZERO, distance))
            break
    return found


def _multiply(ranges: Ranges, op: arith.MuliOp) -> Definition:
    if is_of_launch(ranges, op):
        least = min(ranges.interval(op.lhs)[0], ranges.interval(op.rhs)[0])
        return Definition(lower=[(ZERO, least)], upper=[(ZERO, ranges.limit)])
    (low_a, high_a), (low_b, high_b) = ranges.interval(op.lhs), ranges.interval(op.rhs)
    products = [low_a * low_b, low_a * high_b, high_a * low_b, high_a * high_b]
    low, high = ranges.type_range(op.result.type)
    if min(products) < low or high < max(products):
        return Definition()
    found = _between(ranges, op.result, min(products), max(products))
    for value, least, factor in ((op.lhs, low_a, low_b), (op.rhs, low_b, low_a)):
        if least >= 0 and factor >= 1:  # not below what is multiplied
            found.lower.append(ranges.bound(value))
    return found


def is_of_launch(ranges: Ranges, op: arith.MuliOp) -> bool:
    """`block_id * block_dim` or `grid_dim * block_dim`, of one axis: at most the grid's size."""
    a, b = (_dimension(ranges, operand) for operand in op.operands)
    if a[0] == gpu.BlockDimOp.name:
        a, b = b, a
    return (
        a[0] in (gpu.BlockIdOp.name, gpu.GridDimOp.name)
        and b[0] == gpu.BlockDimOp.name
        and a[1] == b[1]
    )


def _dimension(ranges: Ranges, value: SSAValue) -> tuple[str, int]:
    """The name and axis of an id or a size of the launch; no name for other values."""
    if isinstance(value.owner, gpu.DimensionOp):  # its size may be known, and no node then
        return value.owner.name, value.owner.axis
    node, offset = ranges.bound(value)
    return (node[0], node[1]) if isinstance(node, tuple) and offset == 0 else ("", 0)


def _min(ranges: Ranges, op: arith.MinSIOp) -> Definition:
    upper = [ranges.bound(op.lhs), ranges.bound(op.rhs)]
    return Definition(upper=upper, cases=((op.lhs, None, True), (op.rhs, None, True)))


def _max(ranges: Ranges, op: arith.MaxSIOp) -> Definition:
    lower = [ranges.bound(op.lhs), ranges.bound(op.rhs)]
    return Definition(lower=lower, cases=((op.lhs, None, True), (op.rhs, None, True)))


def _select(ranges: Ranges, op: arith.SelectOp) -> Definition:
    return _choice(ranges, op.result, ((op.lhs, op.cond, True), (op.rhs, op.cond, False)))


def _choice(ranges: Ranges, value: SSAValue, cases: Cases) -> Definition:
    if not is_integer(value.type):
        return Definition()
    low, high = (
        choose(_end_of_case(ranges, *case, upper=upper) for case in cases)
        for choose, upper in ((min, False), (max, True))
    )
    found = _between(ranges, value, low, high)
    found.cases = cases
    return found


def _end_of_case(
    ranges: Ranges, value: SSAValue, condition: SSAValue | None, outcome: bool, *, upper: bool
) -> int:
    """The least or greatest number of a value where a condition has that outcome: of `i + 1`, one
    less where i is not the greatest."""
    end, op = ranges.end(value, upper=upper), condition.owner if condition else None
    if not isinstance(op, arith.CmpiOp) or op.predicate.value.data != (NE if outcome else EQ):
        return end
    other, (node, _) = constant_value(op.rhs), ranges.bound(value)
    is_moved = other is not None and node != ZERO and node == ranges.bound(op.lhs)[0]
    if not is_moved or other != ranges.end(op.lhs, upper=upper):
        return end
    return end - 1 if upper else end + 1


def _unsigned_min(ranges: Ranges, op: arith.MinUIOp | arith.AndIOp) -> Definition:
    """`minui` and `andi`: not above an operand that is not negative, and not negative then."""
    found = Definition()
    for value in (op.lhs, op.rhs):
        if ranges.interval(value)[0] >= 0:
            found.upper.append(ranges.bound(value))
            found.lower = [(ZERO, 0)]
    return found


def _remainder(ranges: Ranges, op: arith.RemSIOp | arith.RemUIOp | simt.ModOp) -> Definition:
    """Division by zero has been refused before, or gives 0."""
    (low_a, _), (low_b, high_b) = ranges.interval(op.lhs), ranges.interval(op.rhs)
    if not is_integer(op.lhs.type):
        return Definition()
    found = Definition()
    if low_b >= 1:
        node, offset = ranges.bound(op.rhs)
        if low_a >= 0 or not isinstance(op, arith.RemSIOp):
            found.lower.append((ZERO, 0))
        else:
            found.lower.append((ZERO, 1 - high_b))
        found.upper.append((node, offset - 1))
    if low_a >= 0 and low_b >= 0:
        found.lower.append((ZERO, 0))
        found.upper.append(ranges.bound(op.lhs))
    return found


def _quotient(ranges: Ranges, op: arith.DivSIOp | arith.DivUIOp | simt.FloorDivOp) -> Definition:
    if not is_integer(op.lhs.type):
        return Definition()
    (low_a, high_a), (low_b, _) = ranges.interval(op.lhs), ranges.interval(op.rhs)
    if low_a < 0 or low_b < 0:
        return Definition()
    found = Definition(lower=[(ZERO, 0)], upper=[ranges.bound(op.lhs)])
    if low_b >= 1:
        found.upper.append((ZERO, high_a // low_b))
    return found


def _shift_right(ranges: Ranges, op: arith.ShRSIOp | arith.ShRUIOp) -> Definition:
    (low, high), (least, most) = ranges.interval(op.lhs), ranges.interval(op.rhs)
    width = ranges.type_range(op.result.type)[1].bit_length()
    if low < 0 or least < 0 or most > width:
        return Definition()
    return Definition(lower=[(ZERO, 0)], upper=[ranges.bound(op.lhs), (ZERO, high >> least)])


def _extend(ranges: Ranges, op: arith.ExtUIOp) -> Definition:
    """Zero-extended: not negative, and no more than the narrow type holds."""
    low, high = ranges.type_range(op.input.type)
    return _between(ranges, op.result, 0, high - low if integer_bits(op.input.type) else high)


def if_cases(op: scf.IfOp, number: int) -> Cases:
    """What result `number` of an scf.if is, on its two ways."""
    cases: list[tuple[SSAValue, SSAValue | None, bool]] = []
    for region, outcome in ((op.true_region, True), (op.false_region, False)):
        end = region.block.last_op
        assert isinstance(end, scf.YieldOp), "scf.if regions with results end in yield"
        cases.append((end.operands[number], op.cond, outcome))
    return cases


_RULES: dict[type[Operation], Callable[[Ranges, Any], Definition]] = {
    gpu.LaneIdOp: _id,
    gpu.SubgroupIdOp: _id,
    gpu.SubgroupSizeOp: _id,
    gpu.NumSubgroupsOp: _id,
    arith.AddiOp: _add,
    arith.SubiOp: _subtract,
    arith.MuliOp: _multiply,
    arith.MinSIOp: _min,
    arith.MaxSIOp: _max,
    arith.SelectOp: _select,
    arith.MinUIOp: _unsigned_min,
    arith.AndIOp: _unsigned_min,
    arith.RemSIOp: _remainder,
    arith.RemUIOp: _remainder,
    simt.ModOp: _remainder,
    arith.DivSIOp: _quotient,
    arith.DivUIOp: _quotient,
    simt.FloorDivOp: _quotient,
    arith.ShRSIOp: _shift_right,
    arith.ShRUIOp: _shift_right,
    arith.ExtUIOp: _extend,
}
