"""gpux: what every device can do and upstream's gpu vocabulary cannot say.

Legal at the simt and gpu levels, and (with ids filled in) at the cpu level.

`gpux.check` and `gpux.print` are how a thread talks to the host. A check whose condition is false
reports its message and values and ends the thread: nothing after it in that thread is executed.
Other threads of the launch may end too, because the launch raises in any case. Both ops carry
`formats`, the language's type names of their values (IR integers have no sign), and, once a target
has made thread ids explicit, six `ids` (block x y z, thread x y z). `site` numbers the ops of a
kernel; the manifest's site table is indexed by it.

Atomics are in `gpux_atomics.py`, tiles of matrices in `gpux_matrix.py`.

Marks of kernels, loops and accesses are in `marks.py`; functions at the end here read what
they say of launches.

`gpux.subgroup_scan` and `gpux.ballot` work among the active lanes of a subgroup; a ballot has bit i
set for lane i. `gpux.scale` and `gpux.prefetch` are of the cpu level alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from xdsl.dialects.builtin import (
    ArrayAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    StringAttr,
    UnitAttr,
    VectorType,
    f32,
    f64,
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

from . import marks
from .gpu import FuncOp
from .gpux_atomics import AtomicCASOp as AtomicCASOp
from .gpux_atomics import AtomicRMWOp as AtomicRMWOp
from .lazy_format import op_with_format
from .lists import expect_one_of

CHECK_KINDS = ("bounds", "assert", "division", "barrier", "loop", "alignment")
FORMATS = (
    *("bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"),
    *("index", "f16", "bf16", "f32", "f64"),
)
SCAN_KINDS = ("add", "mul", "minsi", "minui", "maxsi", "maxui", "minimumf", "maximumf")


def _strings(values: Sequence[str]) -> ArrayAttr[StringAttr]:
    return ArrayAttr([StringAttr(value) for value in values])


class ReportOp(IRDLOperation):
    """What checks and prints tell the host: a message with a value for each `{}` in it."""

    values = var_operand_def()
    ids = var_operand_def(IndexType)
    message = prop_def(StringAttr)
    formats = prop_def(ArrayAttr[StringAttr])
    site = opt_prop_def(IntegerAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    # A check may end the thread, and prints stay in order: ordered with every other effect.
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def values_by_format(self) -> Iterator[tuple[SSAValue, ...]]:
        """The values of each format: one, or two words for 64 bits at the shader level."""
        formats, values = iter(self.formats), iter(self.values)
        for value in values:
            format_ = next(formats, None)
            if format_ is not None and format_.data in ("i64", "u64") and value.type == i32:
                high = next(values, None)
                yield (value,) if high is None else (value, high)
            else:
                yield (value,)

    def verify_(self) -> None:
        groups = list(self.values_by_format())
        if len(self.formats) != len(groups):
            raise VerifyException(
                f"has {len(groups)} values and {len(self.formats)} formats, expected one each"
            )
        if self.message.data.replace("{{", "").replace("}}", "").count("{}") != len(groups):
            raise VerifyException(
                f"message {self.message.data!r} needs one {{}} for each of {len(groups)} values"
            )
        for format_ in self.formats:
            expect_one_of("format", format_.data, FORMATS)
        if len(self.ids) not in (0, 6):
            raise VerifyException(
                f"has {len(self.ids)} ids, expected none or 6 (block xyz, thread xyz)"
            )


@op_with_format(
    "$condition `,` $kind `,` $message (`(` $values^ `:` type($values) `)`)? "
    "(`ids` `(` $ids^ `:` type($ids) `)`)? `formats` $formats (`site` $site^)? attr-dict"
)
class CheckOp(ReportOp):
    """`gpux.check %ok, "bounds", "… {} …" (%i : index) formats ["index"]`."""

    name = "gpux.check"
    condition = operand_def(i1)
    kind = prop_def(StringAttr)

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
        super().verify_()


@op_with_format(
    "$message (`(` $values^ `:` type($values) `)`)? (`ids` `(` $ids^ `:` type($ids) `)`)? "
    "`formats` $formats (`site` $site^)? attr-dict"
)
class PrintOp(ReportOp):
    """`gpux.print "x is {}" (%x : f32) formats ["f32"]`; `{{` and `}}` stand for braces."""

    name = "gpux.print"

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


@op_with_format("(`write` $write^)? $array `[` $indices `]` attr-dict `:` type($array)")
class PrefetchOp(IRDLOperation):
    """The line of an element is soon read, or written; the element need not exist."""

    name = "gpux.prefetch"
    array = operand_def(MemRefType)
    indices = var_operand_def(IndexType())
    write = opt_prop_def(UnitAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryWriteEffect())  # it is not to be removed

    def __init__(self, array: SSAValue, indices: Sequence[SSAValue], *, write: bool = False):
        properties = {"write": UnitAttr()} if write else {}
        super().__init__(operands=[array, indices], properties=properties)

    def verify_(self) -> None:
        kind = self.array.type
        assert isinstance(kind, MemRefType), "the definition of the op says so"
        if kind.get_num_dims() != len(self.indices):
            raise VerifyException(
                f"has {len(self.indices)} indices for a memref of rank {kind.get_num_dims()}"
            )


@op_with_format("$value `,` $exponent attr-dict `:` type($value)")
class ScaleOp(IRDLOperation):
    """value * 2**exponent, rounded once: of vectors of f32 or f64, lane by lane.

    Exponents are whole numbers, and those of numbers are finite.
    """

    name = "gpux.scale"
    T: ClassVar = VarConstraint("T", AnyAttr())
    value = operand_def(T)
    exponent = operand_def(T)
    result = result_def(T)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        kind: Any = self.value.type
        if not isinstance(kind, VectorType) or kind.get_element_type() not in (f32, f64):
            raise VerifyException(f"scales {kind}, expected a vector of f32 or f64")


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


def over_rank(kernel: Operation) -> int | None:
    """The axes of the shapes that a kernel is launched over; None for plain grids."""
    return _number(kernel, marks.OVER)


def block_rank(kernel: Operation) -> int:
    """Along how many dimensions, 1 to 3, blocks of a kernel may have more than one thread."""
    return over_rank(kernel) or _number(kernel, marks.BLOCK_RANK) or 3


def block_size(kernel: FuncOp) -> tuple[int | None, int | None, int | None]:
    """The threads of a block along x, y, z; None where they are not known."""
    if kernel.known_block_size is not None:
        return kernel.known_block_size
    rank = block_rank(kernel)
    return None, None if rank > 1 else 1, None if rank > 2 else 1


def extents(kernel: FuncOp) -> tuple[SSAValue, ...]:
    """The extents x, y, z of what a kernel is launched over; none for plain grids."""
    return kernel.parameters[-3:] if marks.OVER in kernel.attributes else ()


def _number(op: Operation, name: str) -> int | None:
    found = op.attributes.get(name)
    return found.value.data if isinstance(found, IntegerAttr) else None


GPUX = Dialect(
    "gpux",
    [
        *(CheckOp, PrintOp, AtomicRMWOp, AtomicCASOp, SubgroupScanOp, BallotOp),
        *(PrefetchOp, ScaleOp, FirstByteOp),
    ],
    [],
)
