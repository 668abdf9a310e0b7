"""gpux: what every device can do and upstream's gpu vocabulary cannot say.

Legal at the simt and gpu levels, and (with ids filled in) at the cpu level.

`gpux.check` and `gpux.print` are how a thread talks to the host. A check whose condition is false
reports its message and values and ends the thread: nothing after it in that thread is executed.
Other threads of the launch may end too, because the launch raises in any case. Both ops carry
`formats`, the language's type names of their values (IR integers have no sign), and, once a target
has made thread ids explicit, six `ids` (block x y z, thread x y z). `site` numbers the ops of a
kernel; the manifest's site table is indexed by it.

Atomics are in `gpux_atomics.py`, tiles of matrices in `gpux_matrix.py`.

Attributes of kernels say how they are launched. `gpux.over = r`: one thread per item of r axes;
three trailing `index` parameters are the extents x, y, z, and threads whose global id is at or past
the extent do not run. `gpux.block_rank = r`: blocks have one thread along the dimensions from r on.

`gpux.small` is a promise of whoever launches: along each dimension at most `SMALL_GRID` blocks of
at most `SMALL_BLOCK` threads, at most `SMALL_SIZE` threads in all; no axis of an array and no
extent is longer than `SMALL_SIZE`; and elements of one array are less than 2^31 elements apart.
Then an index can be held in 32 bits, with room for `block_id * 1024 + i` and `2 * i + 1`.
Of any launch it is known that there are at most `MAX_GRID` blocks along each dimension, each of
at most as many threads.

`gpux.sizes` of a kernel says for which sizes of arrays and grids alone it is launched. A row
(n, c, p, d, a, m, ...) is a sum that is not above 0: n, and for each five numbers behind it
c * ((v + a) // m), where v is the size of axis d of parameter p (or the number p, if it is one), or
where p is `GRID_SIZE` the blocks, `BLOCK_SIZE` the threads of a block, and `GRID_THREADS` the
threads, along dimension d, or `SHARED_BYTES` the bytes of dynamic shared memory. So
(0, -1, 0, 0, 0, 1, 1, 1, 0, 0, 1) says that parameter 0 is at least as long as parameter 1. Where a
launch can be held to such rows, the attribute is there without any, and `remove-proven-checks`
writes down those that it relies on.

`gpux.streams` of a kernel says that its launches write more than the caches hold, if each thread
writes 4 bytes: stores that go past them may be quicker. `gpux.streamed` lists those that do.

`gpux.most_threads` of a kernel is how many threads its blocks may have at most: its code has room
for so many.

At the cpu level and below, `gpux.threads` marks a loop whose iterations are threads (they may run
in any order, or together; with `gpux.subgroup` they are one subgroup and have to run together),
`gpux.private` an array that each thread has for itself, `gpux.buffer` an access to memory that
threads share without an order among them, `gpux.cold` a loop that hardly ever runs, and `gpux.part`
a function outlined from a kernel.

`gpux.counts_up` marks an `scf.for` that starts at or above 0 and whose counter does not wrap, also
when it is added to for the last time.

`gpux.invariant` on an access in a loop lists the dimensions whose indices the loop leaves alone,
and `gpux.unroll = n` asks LLVM to unroll an `scf.for` n times. `gpux.interleave = n` on a loop over
threads asks its vectoriser for n vectors at once.

`gpux.loose` on a `math.fma` says that its result may be rounded twice, as by a product and a sum.

At the shader level a buffer of elements that a device cannot store is one of words; then
`gpux.element` of the parameter is the type of what is passed, and the elements of 8 or 16 bits
begin at `gpux.first_byte` of the first word.

`gpux.subgroup_scan` and `gpux.ballot` work among the active lanes of a subgroup; a ballot has bit i
set for lane i.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from xdsl.dialects.builtin import (
    ArrayAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    StringAttr,
    i1,
    i32,
    i64,
)
from xdsl.ir import Dialect, Operation, SSAValue
from xdsl.irdl import (
    AnyAttr,
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    VarConstraint,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from .gpux_atomics import AtomicCASOp, AtomicRMWOp
from .lazy_format import op_with_format
from .lists import expect_one_of

SMALL = "gpux.small"
SIZES = "gpux.sizes"
ALIGNED_ROWS = "gpux.aligned_rows"
MOST_THREADS = "gpux.most_threads"
WHOLE_SUBGROUPS = "gpux.whole_subgroups"
COUNTS_UP = "gpux.counts_up"
INVARIANT = "gpux.invariant"
UNROLL = "gpux.unroll"
THREADS = "gpux.threads"
STREAMS = "gpux.streams"
STREAMED = "gpux.streamed"
INTERLEAVE = "gpux.interleave"
SMALL_SIZE, SMALL_GRID, SMALL_BLOCK = 1 << 29, (1 << 21) - 1, 1024
MAX_GRID = (1 << 31) - 1
# In place of a parameter, in `SIZES`.
GRID_SIZE, BLOCK_SIZE, GRID_THREADS, SHARED_BYTES = -1, -2, -3, -4

CHECK_KINDS = ("bounds", "assert", "division", "barrier", "loop", "alignment")
FORMATS = (
    *("bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"),
    *("index", "f16", "bf16", "f32", "f64"),
)
SCAN_KINDS = ("add", "mul", "minsi", "minui", "maxsi", "maxui", "minimumf", "maximumf")


def _verify_report(op: CheckOp | PrintOp) -> None:
    groups = list(values_by_format(op))
    if len(op.formats) != len(groups):
        raise VerifyException(
            f"has {len(groups)} values and {len(op.formats)} formats, expected one each"
        )
    if op.message.data.replace("{{", "").replace("}}", "").count("{}") != len(groups):
        raise VerifyException(
            f"message {op.message.data!r} needs one {{}} for each of {len(groups)} values"
        )
    for format_ in op.formats:
        expect_one_of("format", format_.data, FORMATS)
    if len(op.ids) not in (0, 6):
        raise VerifyException(f"has {len(op.ids)} ids, expected none or 6 (block xyz, thread xyz)")


def values_by_format(op: CheckOp | PrintOp) -> Iterator[tuple[SSAValue, ...]]:
    """The values of each format: one, or two words for a format of 64 bits at the shader level."""
    formats, values = iter(op.formats), iter(op.values)
    for value in values:
        format_ = next(formats, None)
        if format_ is not None and format_.data in ("i64", "u64") and value.type == i32:
            high = next(values, None)
            yield (value,) if high is None else (value, high)
        else:
            yield (value,)


def _strings(values: Sequence[str]) -> ArrayAttr[StringAttr]:
    return ArrayAttr([StringAttr(value) for value in values])


@op_with_format(
    "$condition `,` $kind `,` $message (`(` $values^ `:` type($values) `)`)? "
    "(`ids` `(` $ids^ `:` type($ids) `)`)? `formats` $formats (`site` $site^)? attr-dict"
)
class CheckOp(IRDLOperation):
    """`gpux.check %ok, "bounds", "… {} …" (%i : index) formats ["index"]`."""

    name = "gpux.check"
    condition = operand_def(i1)
    values = var_operand_def()
    ids = var_operand_def(IndexType)
    kind = prop_def(StringAttr)
    message = prop_def(StringAttr)
    formats = prop_def(ArrayAttr[StringAttr])
    site = opt_prop_def(IntegerAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    # Ends the thread: it is ordered with every other effect.
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(
        self,
        condition: SSAValue | Operation,
        kind: str,
        message: str,
        values: Sequence[SSAValue] = (),
        formats: Sequence[str] = (),
        ids: Sequence[SSAValue] = (),
    ):
        super().__init__(
            operands=[condition, values, ids],
            properties={
                "kind": StringAttr(kind),
                "message": StringAttr(message),
                "formats": _strings(formats),
            },
        )

    def verify_(self) -> None:
        expect_one_of("kind", self.kind.data, CHECK_KINDS)
        _verify_report(self)


@op_with_format(
    "$message (`(` $values^ `:` type($values) `)`)? (`ids` `(` $ids^ `:` type($ids) `)`)? "
    "`formats` $formats (`site` $site^)? attr-dict"
)
class PrintOp(IRDLOperation):
    """`gpux.print "x is {}" (%x : f32) formats ["f32"]`; `{{` and `}}` stand for braces."""

    name = "gpux.print"
    values = var_operand_def()
    ids = var_operand_def(IndexType)
    message = prop_def(StringAttr)
    formats = prop_def(ArrayAttr[StringAttr])
    site = opt_prop_def(IntegerAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(
        self,
        message: str,
        values: Sequence[SSAValue] = (),
        formats: Sequence[str] = (),
        ids: Sequence[SSAValue] = (),
    ):
        super().__init__(
            operands=[values, ids],
            properties={"message": StringAttr(message), "formats": _strings(formats)},
        )

    def verify_(self) -> None:
        _verify_report(self)


@op_with_format("$kind $mode $value attr-dict `:` type($value)")
class SubgroupScanOp(IRDLOperation):
    """Running sum (or other kind) over the lanes; `mode` is inclusive or exclusive."""

    name = "gpux.subgroup_scan"
    T: ClassVar = VarConstraint("T", AnyAttr())
    value = operand_def(T)
    kind = prop_def(StringAttr)
    mode = prop_def(StringAttr)
    result = result_def(T)
    irdl_options = (ParsePropInAttrDict(),)
    # Convergent: works across lanes, so it may not be duplicated or moved.
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(self, kind: str, mode: str, value: SSAValue):
        super().__init__(
            operands=[value],
            result_types=[value.type],
            properties={"kind": StringAttr(kind), "mode": StringAttr(mode)},
        )

    def verify_(self) -> None:
        expect_one_of("kind", self.kind.data, SCAN_KINDS)
        expect_one_of("mode", self.mode.data, ("inclusive", "exclusive"))


@op_with_format("$predicate (`from` $first^)? attr-dict `:` type($result)")
class BallotOp(IRDLOperation):
    """The predicate of every active lane as the bits of one integer.

    As an i32 it holds 32 lanes, from lane `first` on (0 where it is not given).
    """

    name = "gpux.ballot"
    predicate = operand_def(i1)
    first = opt_prop_def(IntegerAttr)
    result = result_def(IntegerType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(self, predicate: SSAValue, kind: IntegerType = i64, first: int = 0):
        properties = {"first": IntegerAttr(first, i64)} if first else {}
        super().__init__(operands=[predicate], result_types=[kind], properties=properties)

    @property
    def first_lane(self) -> int:
        """The lane of the lowest bit."""
        return 0 if self.first is None else self.first.value.data

    def verify_(self) -> None:
        if self.result.type not in (i32, i64):
            raise VerifyException(f"gives {self.result.type}, expected i32 or i64")
        if self.result.type == i64 and self.first_lane:
            raise VerifyException("counts lanes from 0 where it gives i64")


@op_with_format("$words attr-dict `:` type($words)")
class FirstByteOp(IRDLOperation):
    """Where a parameter that lies in words begins: the byte, 0 to 3, of the first word."""

    name = "gpux.first_byte"
    words = operand_def(MemRefType)
    result = result_def(IndexType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    def __init__(self, words: SSAValue):
        super().__init__(operands=[words], result_types=[IndexType()])


GPUX = Dialect(
    "gpux",
    [
        *(CheckOp, PrintOp, AtomicRMWOp, AtomicCASOp, SubgroupScanOp, BallotOp),
        FirstByteOp,
    ],
    [],
)
