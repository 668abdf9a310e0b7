"""gpux to llvm: checks, prints and atomics.

    gpux.check %ok, "bounds", "…" (%i : index) ids(…) formats ["index"] site 3 : i32

      llvm.cond_br %ok weights([1048575, 1]), ^next, ^failed
    ^failed:
      llvm.call @stepwell_report(%report, %site, %kind, %count, %ids…, %i, %0)
      llvm.return 1
    ^next:

A record in the report buffer is: site + 1, six ids, two words for each value. The function first
reserves its words with an atomic add; what does not fit is dropped, and the host sees that. In a
kernel that prints, failed checks have a quarter of the buffer to themselves. That function is the
runtime's where the target has one (`LlvmTarget.reporter`), for up to two values, which is all that
checks of indices have; others are made here, one for each number of values.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    Float64Type,
    IntegerAttr,
    IntegerType,
    StringAttr,
    UnitAttr,
    f32,
    i1,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import gpux, llvm, marks
from ...dialects.walking import ops_of_class
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
from .arith import extreme_number
from .floats import is_small, narrow, widen
from .func import gives_status
from .memref_address import View, alignment_of, element_address, stored_type
from .target import State, binary, const, enclosing_function, icmp, resize, select, width

RULES = Rules()
converts = RULES.converts

_PRINT = 2  # after failures, without prints in the kernel and with
_OUTSIDE_VALUES = 2
_OUTSIDE_TYPES = (llvm.POINTER, i32, i32, i32, *[i64] * (ID_COUNT + _OUTSIDE_VALUES))


# --- reports --------------------------------------------------------------------------------------


@converts(gpux.CheckOp)
def convert_check(op: gpux.CheckOp, operands: Operands, rw: Rewriter) -> Results:
    """A branch that is hardly ever taken, to a report and the end of the block."""
    (condition,) = operands[0]
    following = rw.split()
    failed = rw.new_block(before=following)
    weights = (OFTEN, RARELY)
    rw.insert(llvm.CondBrOp.on(condition, (following, ()), (failed, ()), weights))
    rw.at_end(failed)
    _call_report(op, operands[1:], rw, failed)
    state: State = rw.state
    rw.create(llvm.ReturnOp, (const(rw, 1, i32),) if state.target.kernel_status else ())
    return None


@converts(gpux.PrintOp)
def convert_print(op: gpux.PrintOp, operands: Operands, rw: Rewriter) -> Results:
    """A report, after which the thread goes on."""
    _call_report(op, operands, rw, None)
    return None


def _call_report(op: gpux.ReportOp, operands: Operands, rw: Rewriter, block: Block | None) -> None:
    """Calls the module's report function, at the end of a block or before the op."""
    function = enclosing_function(op.parent_op())
    entry = function.body.blocks.first
    if not gives_status(function) or entry is None:
        raise CannotConvert("only a kernel has a report buffer (inline its helpers first)")
    if op.site is None:
        raise CannotConvert("no site number: number-report-sites has to run before")
    state: State = rw.state
    id_count = 0 if state.target.thread_ids is not None else ID_COUNT
    if len(op.ids) != id_count:
        raise CannotConvert(f"expected {id_count} ids, got {len(op.ids)}")
    if state.prints is None:
        state.prints = bool(ops_of_class(state.module, gpux.PrintOp))
    count = len(op.values)
    given = iter(value for (value,) in operands[:count])
    values = [
        _as_word(rw, [next(given) for _ in group], group[0].type, format_.data)
        for group, format_ in zip(op.values_by_format(), op.formats, strict=True)
    ]
    ids = [value for (value,) in operands[count : count + id_count]]
    site: IntegerAttr = op.site
    printing, outside = isinstance(op, gpux.PrintOp), state.target.reporter
    if outside and len(values) <= _OUTSIDE_VALUES:
        name = state.declare(outside, _OUTSIDE_TYPES, None, "cold")
        kind = _PRINT if printing else int(state.prints)
        ids = [const(rw, kind, i32), const(rw, len(values), i32), *ids]
        values += [const(rw, 0, i64)] * (_OUTSIDE_VALUES - len(values))
    else:
        name = report_function(rw, len(values), printing=printing)
        rw.at(op)
        if block is not None:
            rw.at_end(block)
    given = [entry.args[-1], const(rw, site.value.data + 1, i32), *ids, *values]
    rw.insert(llvm.CallOp.to(name, given, []))


def _as_word(rw: Rewriter, given: Sequence[SSAValue], kind: Attribute, format: str) -> SSAValue:
    """A value as the 64 bits of its record: integers extended, floats by their bits."""
    if len(given) == 2:
        low, high = (resize(rw, word, i64, signed=False) for word in given)
        return binary(rw, llvm.OrOp, low, binary(rw, llvm.ShlOp, high, 32))
    (value,) = given
    if is_small(kind):
        value = widen(rw, value, kind)
    if isinstance(value.type, Float64Type):
        return rw.value(llvm.BitcastOp, (value,), i64)
    if value.type == f32:
        value = rw.value(llvm.BitcastOp, (value,), i32)
        return resize(rw, value, i64, signed=False)
    return resize(rw, value, i64, signed=format in SIGNED)


def report_function(rw: Rewriter, count: int, *, printing: bool) -> str:
    """The module's function that writes records of `count` values; moves the insertion point."""
    state: State = rw.state
    name = f"__stepwell_{'print' if printing else 'report'}_{count}"
    if name in state.functions:
        return name
    target = state.target
    given = 0 if target.thread_ids is not None else ID_COUNT
    pointer = llvm.PointerType(target.report_space)
    kinds: list[Attribute] = [pointer, i32, *[target.index] * given, *[i64] * count]
    entry, reserve, write, end = Block(arg_types=kinds), Block(), Block(), Block()
    report, site, *rest = entry.args
    words = 1 + ID_COUNT + 2 * count

    rw.at_end(entry)
    relaxed = {"ordering": llvm.number(llvm.ORDERINGS["monotonic"])}
    aligned = {"alignment": llvm.number(4)}
    counter = _word_at(rw, report, PRINTED_WORD if printing else 0)
    used = rw.value(llvm.LoadOp, (counter,), i32, relaxed | aligned)
    full = icmp(rw, "slt", used, 0)  # so that endless printing does not wrap the counter
    rw.insert(llvm.CondBrOp.on(full, (end, ()), (reserve, ())))

    rw.at_end(reserve)
    adding = relaxed | aligned | {"bin_op": llvm.number(llvm.ATOMIC_KINDS.index("add"))}
    first = rw.value(llvm.AtomicRMWOp, (counter, const(rw, words, i32)), i32, adding)
    capacity = rw.value(llvm.LoadOp, (_word_at(rw, report, 1),), i32, aligned)
    before = const(rw, 0, i32)
    if state.prints:
        kept = binary(rw, llvm.LShrOp, capacity, FAILURES_SHIFT)
        before = kept if printing else before
        capacity = binary(rw, llvm.SubOp, capacity, kept) if printing else kept
    last = resize(rw, binary(rw, llvm.AddOp, first, words), i64, signed=False)
    fits = icmp(rw, "ule", last, resize(rw, capacity, i64, signed=False))
    rw.insert(llvm.CondBrOp.on(fits, (write, ()), (end, ())))

    rw.at_end(write)
    start = binary(rw, llvm.AddOp, binary(rw, llvm.AddOp, first, before), HEADER_WORDS)
    start = resize(rw, start, i64, signed=False)
    record = rw.insert(llvm.GEPOp.at(report, [start], i32)).results[0]
    ids = rest[:given] if target.thread_ids is None else target.thread_ids(rw)
    # A value is stored whole: its low word comes first on every target (all are little-endian).
    position = 0
    for part in (site, *(resize(rw, value, i32) for value in ids), *rest[given:]):
        rw.create(llvm.StoreOp, (part, _word_at(rw, record, position)), properties=aligned)
        position += width(part.type) // 32
    rw.insert(llvm.BrOp.to(end))
    rw.at_end(end)
    rw.create(llvm.ReturnOp)

    function = llvm.FuncOp.define(
        name,
        llvm.FunctionType(kinds),
        linkage="internal",
        passthrough=("cold", "noinline", "nounwind", *state.target.report_words),
        body=Region([entry, reserve, write, end]),
    )
    function.attributes[marks.AS_IS] = UnitAttr()
    state.add(function)
    return name


def _word_at(rw: Rewriter, pointer: SSAValue, index: int) -> SSAValue:
    if index == 0:
        return pointer
    return rw.insert(llvm.GEPOp.at(pointer, [index], i32)).results[0]


# --- atomics --------------------------------------------------------------------------------------

_ORDERS = {
    "relaxed": "monotonic", "acquire": "acquire", "release": "release", "acq_rel": "acq_rel",
    "seq_cst": "seq_cst",
}  # fmt: skip
_FAILURE = {"monotonic": "monotonic", "release": "monotonic", "acq_rel": "acquire"}
_KINDS = {
    "add": "add", "mins": "min", "minu": "umin", "maxs": "max", "maxu": "umax", "and": "_and",
    "or": "_or", "xor": "_xor", "exchange": "xchg",
}  # fmt: skip

_BY_COMPARISON = {"mins": "slt", "minu": "ult", "maxs": "sgt", "maxu": "ugt"}
_BY_INSTRUCTION: dict[str, type[Operation]] = {
    "add": llvm.AddOp, "and": llvm.AndOp, "or": llvm.OrOp, "xor": llvm.XorOp,
}  # fmt: skip


def _atomic_properties(
    op: gpux.AtomicRMWOp | gpux.AtomicCASOp, rw: Rewriter, kind: Attribute
) -> dict[str, Attribute]:
    """Alignment and, where the target has it, the synchronisation scope."""
    state: State = rw.state
    properties: dict[str, Attribute] = {"alignment": llvm.number(alignment_of(kind))}
    if scope := state.target.scopes.get(op.scope.data, ""):
        properties["syncscope"] = StringAttr(scope)
    return properties


@converts(gpux.AtomicRMWOp)
def convert_rmw(op: gpux.AtomicRMWOp, operands: Operands, rw: Rewriter) -> Results:
    """One instruction where there is one for the kind and type, else a compare-exchange loop."""
    ((value,), _, *indices) = operands
    view = View(op.view.type, operands[1])
    address = element_address(rw, view, [index for (index,) in indices])
    kind, element = op.kind.data, op.value.type
    stored = stored_type(rw, view.kind)
    is_float = _is_float(element)
    if value.type == i1:
        value = rw.value(llvm.ZExtOp, (value,), stored)
    state: State = rw.state
    if op.scope.data in state.target.turns:
        old = _in_turn(op, rw, address, value)
        return icmp(rw, "ne", old, 0) if rw.type(element) == i1 else old
    if is_float and (kind in ("min", "max") or (kind == "add" and is_small(element))):
        return _rmw_loop(op, rw, address, value)
    word = "fadd" if is_float and kind == "add" else _KINDS.get(kind)
    if word is None:
        raise CannotConvert(f"an atomic {kind} of {element}")
    properties = _atomic_properties(op, rw, stored) | {
        "ordering": llvm.number(llvm.ORDERINGS[_ORDERS[op.order.data]]),
        "bin_op": llvm.number(llvm.ATOMIC_KINDS.index(word)),
    }
    old = rw.value(llvm.AtomicRMWOp, (address, value), value.type, properties)
    return icmp(rw, "ne", old, 0) if rw.type(element) == i1 else old


def _is_float(kind: Attribute) -> bool:
    return not isinstance(kind, IntegerType) and kind.name != "index"


def _rmw_loop(op: gpux.AtomicRMWOp, rw: Rewriter, address: SSAValue, value: SSAValue) -> Results:
    """Reads, computes, and stores if nobody else has in between; else once more."""
    kind, element = op.kind.data, op.value.type
    bits_type = IntegerType(8 * alignment_of(value.type))
    properties = _atomic_properties(op, rw, bits_type)
    monotonic = {"ordering": llvm.number(llvm.ORDERINGS["monotonic"])}
    start = rw.value(llvm.LoadOp, (address,), bits_type, properties | monotonic)
    after = rw.split([value.type])
    loop = rw.new_block([bits_type], before=after)
    rw.insert(llvm.BrOp.to(loop, (start,)))

    rw.at_end(loop)
    (seen,) = loop.args
    old = _from_bits(rw, seen, value.type)
    new = _to_bits(rw, _updated_float(rw, kind, element, old, value), bits_type)
    found, done = _exchange(rw, (address, seen, new), op.order.data, properties)
    rw.insert(llvm.CondBrOp.on(done, (after, (old,)), (loop, (found,))))
    return after.args[0]


def _updated_float(
    rw: Rewriter, kind: str, element: Attribute, old: SSAValue, value: SSAValue
) -> SSAValue:
    if is_small(element):
        old, value = widen(rw, old, element), widen(rw, value, element)
    if kind == "add":
        result = rw.value(llvm.FAddOp, (old, value), old.type)
    else:
        result = extreme_number(rw, kind == "min", old, value)
    return narrow(rw, result, element) if is_small(element) else result


def _in_turn(op: gpux.AtomicRMWOp, rw: Rewriter, address: SSAValue, value: SSAValue) -> SSAValue:
    """Reads, computes and stores, since nobody else is at it; gives what was there."""
    kind, element = op.kind.data, op.value.type
    properties: dict[str, Attribute] = {"alignment": llvm.number(alignment_of(value.type))}
    old = rw.value(llvm.LoadOp, (address,), value.type, properties)
    if kind == "exchange":
        new = value
    elif _is_float(element):
        new = _updated_float(rw, kind, element, old, value)
    elif kind in _BY_COMPARISON:
        less = icmp(rw, _BY_COMPARISON[kind], old, value)
        new = select(rw, less, old, value)
    else:
        new = binary(rw, _BY_INSTRUCTION[kind], old, value)
    rw.create(llvm.StoreOp, (new, address), properties=properties)
    return old


def _exchange(
    rw: Rewriter, operands: Sequence[SSAValue], order: str, properties: dict[str, Attribute]
) -> tuple[SSAValue, SSAValue]:
    """A compare-exchange: what was there, and whether it was stored."""
    success = _ORDERS[order]
    both = properties | {
        "success_ordering": llvm.number(llvm.ORDERINGS[success]),
        "failure_ordering": llvm.number(llvm.ORDERINGS[_FAILURE.get(success, success)]),
    }
    pair = rw.value(llvm.CmpXchgOp, operands, llvm.StructType([operands[1].type, i1]), both)
    found = rw.insert(llvm.ExtractValueOp.at(pair, 0)).results[0]
    done = rw.insert(llvm.ExtractValueOp.at(pair, 1)).results[0]
    return found, done


def _to_bits(rw: Rewriter, value: SSAValue, kind: IntegerType) -> SSAValue:
    if value.type == kind:
        return value
    if value.type == i1:
        return resize(rw, value, kind, signed=False)
    return rw.value(llvm.BitcastOp, (value,), kind)


def _from_bits(rw: Rewriter, value: SSAValue, kind: Attribute) -> SSAValue:
    if value.type == kind:
        return value
    if kind == i1:
        return icmp(rw, "ne", value, 0)
    return rw.value(llvm.BitcastOp, (value,), kind)


@converts(gpux.AtomicCASOp)
def convert_cas(op: gpux.AtomicCASOp, operands: Operands, rw: Rewriter) -> Results:
    """A compare-exchange of the bits."""
    ((expected,), (desired,), _, *indices) = operands
    view = View(op.view.type, operands[2])
    address = element_address(rw, view, [index for (index,) in indices])
    stored = stored_type(rw, view.kind)
    bits_type = IntegerType(8 * alignment_of(stored))
    given = (address, _to_bits(rw, expected, bits_type), _to_bits(rw, desired, bits_type))
    found, _ = _exchange(rw, given, op.order.data, _atomic_properties(op, rw, bits_type))
    return _from_bits(rw, found, expected.type)
