"""Checks and prints: records in the report buffer, and for a check the end of the thread.

    gpux.check %ok, "bounds", "…" (%i : index) formats ["index"] site 3 : i32

    spirv.func @__body() {                             spirv.func @kernel() {
      …                                                  spirv.Store "Private" %site, %zero
      spirv.mlir.selection {                             spirv.FunctionCall @__body()
        spirv.BranchConditional %not_ok, ^failed, …      %s = spirv.Load "Private" %site
      ^failed:                                           …
        spirv.Store "Private" %site, %four               spirv.FunctionCall @__write_record(%s, …)
        spirv.Store "Private" …                          spirv.Return
        spirv.Return                                   }
      …

A thread ends at its first failed check. So variables keep what failed, and one place at the end of
the kernel reports it. Devices that run both sides of every branch, with masks, pass through that
place in every thread; there a report costs up to half as much as a small kernel, and a check that
only sets variables next to nothing.

A record in the report buffer is: site + 1, six ids, two words for each value. What does not fit is
dropped, and the host sees that. One function writes all records; it takes the words of the longest,
and does nothing where the first word is 0: no check has failed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from xdsl.dialects.builtin import Float64Type, IntegerAttr, i1, i32, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import gpux, spirv
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..report_words import (
    FAILURES_SHIFT,
    HEADER_WORDS,
    ID_COUNT,
    OFTEN,
    PRINTED_WORD,
    RARELY,
    SIGNED,
)
from .build import (
    Scope,
    access,
    binary,
    bitcast,
    bits,
    compare,
    f32_of,
    load,
    op,
    resize,
    select,
    state_of,
    store,
    word,
)
from .control import loop, selection
from .ids import block_id, thread_id
from .memory import atomic
from .parameters import global_variable, report_buffer, report_capacity

RULES = Rules()
converts = RULES.converts

_UNDO, _END = -2, -1  # turns that are past every word of a record
_WRITER = "__write_record"


def longest_record(kernel: Operation) -> int | None:
    """The words of values in the longest record of a kernel; None where it reports nothing."""
    sites = [site for site in kernel.walk() if isinstance(site, gpux.ReportOp)]
    return max((2 * len(site.formats) for site in sites), default=None)


@converts(gpux.CheckOp)
def convert_check(op_: gpux.CheckOp, operands: Operands, rw: Rewriter) -> Results:
    """A branch that is hardly ever taken, to where the failure is kept and the thread ends."""
    (condition,) = operands[0]
    failing = op(rw, "LogicalNot", (condition,), i1)
    failed = Block()
    with rw.inside(failed):
        for place, value in zip(_failure(rw), _record(op_, operands[1:], rw), strict=False):
            store(rw, place, value)
        rw.create(spirv.ReturnOp)
    selection(rw, failing, failed, weights=(RARELY, OFTEN))
    return None


@converts(gpux.PrintOp)
def convert_print(op_: gpux.PrintOp, operands: Operands, rw: Rewriter) -> Results:
    """A report, after which the thread goes on."""
    _report(rw, _record(op_, operands, rw), printing=True)
    return None


def reporting(rw: Rewriter, body: str) -> Region:
    """A kernel's region: calls the function that does its work; reports if a check failed there."""

    def build() -> None:
        places = _failure(rw)
        store(rw, places[0], word(rw, 0))
        rw.insert(spirv.FunctionCallOp.to(body, []))
        _report(rw, [load(rw, place) for place in places], printing=False)

    return _region(rw, [], build)


def _failure(rw: Rewriter) -> list[SSAValue]:
    """The thread's variables for the record of what failed: see `_record`."""
    kind = spirv.PointerType(i32, "Private")
    names = ["site", "size", *map(str, range(state_of(rw).longest_record))]
    return [global_variable(rw, f"__failed_{name}", kind) for name in names]


def _record(op_: gpux.ReportOp, operands: Operands, rw: Rewriter) -> list[SSAValue]:
    """What is to be written: site + 1, the size of the whole record, the words of the values."""
    if op_.site is None:
        raise CannotConvert("no site number: number-report-sites has to run before")
    words: list[SSAValue] = []
    new = iter(operands)
    for old, format in zip(op_.values_by_format(), op_.formats.data, strict=True):
        values = [next(new)[0] for _ in old]
        if len(values) == 2:  # 64 bits that the device has no type for
            words += values
        else:
            words += _words(rw, values[0], old[0].type, format.data)
    site: IntegerAttr = op_.site
    return [word(rw, site.value.data + 1), word(rw, 1 + ID_COUNT + len(words)), *words]


def _report(rw: Rewriter, record: list[SSAValue], *, printing: bool) -> None:
    """Calls the function that writes a record, where the insertion point is."""
    state = state_of(rw)
    types: list[Attribute] = [i32] * (2 + state.longest_record)
    missing = [word(rw, 0)] * (len(types) - len(record))
    if state.prints:
        types.append(i32)
        missing.append(word(rw, PRINTED_WORD if printing else 0))
    if _WRITER not in state.names:
        state.names.add(_WRITER)
        body = _region(rw, types, lambda *values: _write_record(rw, *values))
        state.declare(spirv.FuncOp.define(_WRITER, types, body=body))
    rw.insert(spirv.FunctionCallOp.to(_WRITER, [*record, *missing]))


class _Area(NamedTuple):
    """Where records of one kind go: the word that counts them, the last one before them, room."""

    counter: SSAValue
    before: SSAValue
    room: SSAValue


def _area(rw: Rewriter, counter: SSAValue | None) -> _Area:
    """In a kernel that prints, failed checks have a quarter of the buffer to themselves."""
    capacity, last = report_capacity(rw), word(rw, HEADER_WORDS - 1)
    if counter is None:
        return _Area(word(rw, 0), last, capacity)
    kept = binary(rw, "ShiftRightLogical", capacity, FAILURES_SHIFT)
    failed = compare(rw, "IEqual", counter, 0)
    before = select(rw, failed, last, binary(rw, "IAdd", kept, last))
    return _Area(counter, before, select(rw, failed, kept, binary(rw, "ISub", capacity, kept)))


def _region(rw: Rewriter, types: list[Attribute], build: Callable[..., None]) -> Region:
    """The region of a function of its own; `build` gets its arguments."""
    state, entry = state_of(rw), Block(arg_types=types)
    outer, state.scope = state.scope, Scope(entry)
    with rw.inside(entry):
        end = rw.create(spirv.ReturnOp)
    with rw.inside(entry, end):
        build(*entry.args)
    state.scope = outer
    return Region(entry)


def _words(rw: Rewriter, value: SSAValue, kind: Attribute, format: str) -> list[SSAValue]:
    """The low and the high word of a value's record."""
    if kind.name in ("f16", "f32"):
        return [bitcast(rw, f32_of(rw, value), i32), word(rw, 0)]
    if isinstance(kind, Float64Type):
        value = bitcast(rw, value, i64)
    if bits(value.type) == 64:
        high = binary(rw, "ShiftRightLogical", value, 32)
        return [resize(rw, value, i32, signed=False), resize(rw, high, i32, signed=False)]
    signed = format in SIGNED
    low = resize(rw, value, i32, signed=signed)
    return [low, binary(rw, "ShiftRightArithmetic", low, 31) if signed else word(rw, 0)]


def _write_record(rw: Rewriter, site: SSAValue, size: SSAValue, *given: SSAValue) -> None:
    """One loop around one atomic addition, which writes too: records are cleared by the host.

    Round 0 reserves the words of the record; then round n writes word n, if the record fits. If
    the counter's sign is set, one more round takes the reservation back, so that it never wraps.
    There is no selection around the loop: where all is masked, each costs some instructions more.
    """
    prints = state_of(rw).prints
    words, counter = (given[:-1], given[-1]) if prints else (given, None)
    report, area = report_buffer(rw), _area(rw, counter)
    threads = [thread_id(rw, axis) for axis in range(3)]
    blocks = [block_id(rw, axis) for axis in range(3)]
    record = [site, *blocks, *threads, *words]
    less = binary(rw, "ISub", word(rw, 0), size)

    def goes_on(turn: SSAValue, start: SSAValue) -> SSAValue:
        return compare(rw, "INotEqual", turn, _END)

    def write(turn: SSAValue, start: SSAValue) -> tuple[SSAValue, SSAValue]:
        first, undone = compare(rw, "IEqual", turn, 0), compare(rw, "IEqual", turn, _UNDO)
        value = select(rw, undone, less, size)
        for number, part in enumerate(record, 1):
            value = select(rw, compare(rw, "IEqual", turn, number), part, value)
        place = binary(rw, "IAdd", binary(rw, "IAdd", start, area.before), turn)
        counts = op(rw, "LogicalOr", (first, undone), i1)
        index = select(rw, counts, area.counter, place)
        old = atomic(rw, "AtomicIAdd", access(rw, report, [0, index], i32), (value,))
        fits = compare(rw, "ULessThanEqual", binary(rw, "IAdd", old, size), area.room)
        reserved = select(rw, fits, word(rw, 1), word(rw, _END))
        reserved = select(rw, compare(rw, "SLessThan", old, 0), word(rw, _UNDO), reserved)
        last = compare(rw, "UGreaterThanEqual", turn, size)
        written = select(rw, last, word(rw, _END), binary(rw, "IAdd", turn, 1))
        return select(rw, first, reserved, written), select(rw, first, old, start)

    nothing = compare(rw, "IEqual", site, 0)
    begin = select(rw, nothing, word(rw, _END), word(rw, 0))
    loop(rw, (begin, word(rw, 0)), goes_on, write)
