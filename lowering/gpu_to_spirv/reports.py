"""Checks and prints: a record in the report buffer, and for a check the end of the thread.

    gpux.check %ok, "bounds", "…" (%i : index) formats ["index"] site 3 : i32

    spirv.mlir.selection {
      spirv.BranchConditional %ok [1048575, 1], ^merge, ^failed
    ^failed:
      spirv.FunctionCall @__report_2(%site, %low, %high)
      spirv.Return
    ^merge:
      spirv.mlir.merge
    }

A record in the report buffer is: site + 1, six ids, two words for each value. What does not fit is
dropped, and the host sees that. The function is small and touches memory in one place, because
devices that run both sides of every branch, with masks, pass through it at every check.
"""

from __future__ import annotations

from xdsl.dialects.builtin import Float64Type, IntegerAttr, i1, i32, i64
from xdsl.ir import Attribute, Block, Region, SSAValue

from ...dialects import gpux, spirv
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from .build import (
    Scope,
    access,
    binary,
    bitcast,
    bits,
    compare,
    f32_of,
    op,
    resize,
    select,
    state_of,
    word,
)
from .control import loop, selection
from .ids import block_id, thread_id
from .memory import atomic
from .parameters import report_buffer, report_capacity

RULES = Rules()
converts = RULES.converts

_OFTEN, _RARELY = 1048575, 1
_HEADER_WORDS = 4
_ID_COUNT = 6
_SIGNED = ("i8", "i16", "i32", "i64", "index")


@converts(gpux.CheckOp)
def convert_check(op_: gpux.CheckOp, operands: Operands, rw: Rewriter) -> Results:
    """A branch that is hardly ever taken, to a report and the end of the thread."""
    (condition,) = operands[0]
    failing = op(rw, "LogicalNot", (condition,), i1)
    failed = Block()
    with rw.inside(failed):
        _report(op_, operands[1:], rw)
        rw.create(spirv.ReturnOp)
    selection(rw, failing, failed, weights=(_RARELY, _OFTEN))
    return None


@converts(gpux.PrintOp)
def convert_print(op_: gpux.PrintOp, operands: Operands, rw: Rewriter) -> Results:
    """A report, after which the thread goes on."""
    _report(op_, operands, rw)
    return None


def _report(op_: gpux.CheckOp | gpux.PrintOp, operands: Operands, rw: Rewriter) -> None:
    """Calls the function that writes records of as many words, where the insertion point is."""
    if op_.site is None:
        raise CannotConvert("no site number: number-report-sites has to run before")
    words: list[SSAValue] = []
    new = iter(operands)
    for old, format in zip(gpux.values_by_format(op_), op_.formats.data, strict=True):
        values = [next(new)[0] for _ in old]
        if len(values) == 2:  # 64 bits that the device has no type for
            words += values
        else:
            words += _words(rw, values[0], old[0].type, format.data)
    site: IntegerAttr = op_.site
    name = _function(rw, len(words))
    rw.insert(spirv.FunctionCallOp.to(name, [word(rw, site.value.data + 1), *words]))


def _words(rw: Rewriter, value: SSAValue, kind: Attribute, format: str) -> list[SSAValue]:
    """The low and the high word of a value's record."""
    if kind.name in ("f16", "f32"):
        return [bitcast(rw, f32_of(rw, value), i32), word(rw, 0)]
    if isinstance(kind, Float64Type):
        value = bitcast(rw, value, i64)
    if bits(value.type) == 64:
        high = binary(rw, "ShiftRightLogical", value, 32)
        return [resize(rw, value, i32, signed=False), resize(rw, high, i32, signed=False)]
    signed = format in _SIGNED
    low = resize(rw, value, i32, signed=signed)
    return [low, binary(rw, "ShiftRightArithmetic", low, 31) if signed else word(rw, 0)]


def _function(rw: Rewriter, count: int) -> str:
    """The module's function that writes records of `count` words after the ids."""
    state = state_of(rw)
    name = f"__report_{count}"
    if name not in state.names:
        state.names.add(name)
        entry = Block(arg_types=[i32] * (1 + count))
        outer, state.scope = state.scope, Scope(entry)
        with rw.inside(entry):
            end = rw.create(spirv.ReturnOp)
        with rw.inside(entry, end):
            _write_record(rw, *entry.args)
        state.scope = outer
        kinds = [i32] * (1 + count)
        state.declare(spirv.FuncOp.define(name, kinds, body=Region(entry)))
    return name


def _write_record(rw: Rewriter, site: SSAValue, *words: SSAValue) -> None:
    """One loop around one atomic addition, which writes too: records are cleared by the host.

    Round 0 reserves the words of the record; then round n writes word n, if the record fits. If
    the counter's sign is set, one more round takes the reservation back, so that it never wraps.
    """
    size = 1 + _ID_COUNT + len(words)
    report, room = report_buffer(rw), report_capacity(rw)
    threads = [thread_id(rw, axis) for axis in range(3)]
    blocks = [block_id(rw, axis) for axis in range(3)]
    record = (site, *blocks, *threads, *words)
    back = size + 2

    def count(turn: SSAValue, start: SSAValue) -> SSAValue:
        written = compare(rw, "ULessThanEqual", turn, size)
        return op(rw, "LogicalOr", (written, compare(rw, "IEqual", turn, back)), i1)

    def write(turn: SSAValue, start: SSAValue) -> tuple[SSAValue, SSAValue]:
        first, undone = (compare(rw, "IEqual", turn, number) for number in (0, back))
        value = select(rw, undone, word(rw, -size), word(rw, size))
        for number, part in enumerate(record, 1):
            value = select(rw, compare(rw, "IEqual", turn, number), part, value)
        place = binary(rw, "IAdd", binary(rw, "IAdd", start, _HEADER_WORDS - 1), turn)
        counter = op(rw, "LogicalOr", (first, undone), i1)
        index = select(rw, counter, word(rw, 0), place)
        old = atomic(rw, "AtomicIAdd", access(rw, report, [0, index], i32), (value,))
        fits = compare(rw, "ULessThanEqual", binary(rw, "IAdd", old, size), room)
        following = select(rw, fits, word(rw, 1), word(rw, size + 1))
        following = select(rw, compare(rw, "SLessThan", old, 0), word(rw, back), following)
        following = select(rw, first, following, binary(rw, "IAdd", turn, 1))
        return following, select(rw, first, old, start)

    loop(rw, (word(rw, 0), word(rw, 0)), count, write)
