"""Rows of matrices and of what feeds them: ldmatrix, stmatrix, mma.sync, mbarriers.

A thread holds *fragments*: registers of 32 bits with two f16 (or bf16, four s8 …) each. Which
register types a shape takes is `FRAGMENTS`; LLVM ends the process over any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from xdsl.dialects.builtin import VectorType, f16, f32, f64, i1, i32, i64
from xdsl.ir import Attribute

from ..lists import parse_operands, print_operands, print_types
from ..llvm.types import PointerType, StructType
from .base import Form, Needs, NvvmOp, Row

if TYPE_CHECKING:
    from xdsl.parser import Parser, UnresolvedOperand
    from xdsl.printer import Printer

SHARED, GENERIC = PointerType(3), PointerType()
HOPPER = Needs(90, 80)
PAIR = VectorType(f16, [2])


def word(op: Any, name: str) -> str:
    """The keyword of an attribute such as `#nvvm.mma_layout<row>`."""
    value = op.properties.get(name)
    return str(value.data) if value is not None else ""


# --- ldmatrix, stmatrix ---------------------------------------------------------------------------


def _struct_or_one(kind: Attribute, count: int) -> Attribute:
    return kind if count == 1 else StructType([kind] * count)


def _load_check(op: Any) -> str | None:
    count = op.int_property("num")
    if count not in (1, 2, 4):
        return f"num is {count}, expected 1, 2 or 4"
    if word(op, "layout") not in ("row", "col"):
        return "layout is missing, expected row or col"
    if [value.type for value in op.operands] != [SHARED]:
        return "expected a pointer to shared memory"
    expected = _struct_or_one(i32, count)
    found = op.results[0].type if len(op.results) == 1 else None
    return None if found == expected else f"expected a result of type {expected}, got {found}"


def _matrix_target(op: Any, verb: str, count: int) -> str:
    transposed = ".trans" if word(op, "layout") == "col" else ""
    return f"{verb}.sync.aligned.m8n8.x{count}{transposed}.b16"


def _load_target(op: Any) -> str:
    count = op.int_property("num")
    return _matrix_target(op, "ldmatrix", count) + ".p3"


def _store_target(op: Any) -> str:
    return _matrix_target(op, "stmatrix", len(op.operands) - 1) + ".p3"


def _store_check(op: Any) -> str | None:
    kinds = [value.type for value in op.operands]
    if kinds[:1] != [SHARED] or kinds[1:] not in ([i32], [i32] * 2, [i32] * 4):
        return "expected a pointer to shared memory and 1, 2 or 4 i32"
    if word(op, "layout") not in ("row", "col"):
        return "layout is missing, expected row or col"
    return None


# --- mma.sync -------------------------------------------------------------------------------------


class Fragments(NamedTuple):
    """Registers of A, B and C for one shape and element type, and what it needs."""

    a: int
    b: int
    register: Attribute
    c: int
    sums: tuple[Attribute, ...]
    needs: Needs


_AMPERE, _TURING = Needs(80, 70), Needs(75, 65)
FRAGMENTS: dict[tuple[str, str], Fragments] = {
    ("m16n8k8", "f16"): Fragments(2, 1, PAIR, 4, (f32, PAIR), _TURING),
    ("m16n8k16", "f16"): Fragments(4, 2, PAIR, 4, (f32, PAIR), _AMPERE),
    ("m16n8k8", "bf16"): Fragments(2, 1, i32, 4, (f32,), _AMPERE),
    ("m16n8k16", "bf16"): Fragments(4, 2, i32, 4, (f32,), _AMPERE),
    ("m16n8k4", "tf32"): Fragments(2, 1, i32, 4, (f32,), _AMPERE),
    ("m16n8k8", "tf32"): Fragments(4, 2, i32, 4, (f32,), _AMPERE),
    ("m8n8k4", "f64"): Fragments(1, 1, f64, 2, (f64,), _AMPERE),
    ("m16n8k4", "f64"): Fragments(2, 1, f64, 4, (f64,), Needs(90, 78)),
    ("m16n8k8", "f64"): Fragments(4, 2, f64, 4, (f64,), Needs(90, 78)),
    ("m16n8k16", "f64"): Fragments(8, 4, f64, 4, (f64,), Needs(90, 78)),
    **{
        (shape, kind): Fragments(a, b, i32, c, (i32,), needs)
        for kind in ("s8", "u8")
        for shape, a, b, c, needs in (
            ("m8n8k16", 1, 1, 2, _TURING),
            ("m16n8k16", 2, 1, 4, _AMPERE),
            ("m16n8k32", 4, 2, 4, _AMPERE),
        )
    },
    **{
        ("m16n8k32", kind): Fragments(4, 2, i32, 4, (f32,), Needs(89, 84))
        for kind in ("e4m3", "e5m2")
    },
}


def _shape(op: Any) -> str:
    value = op.properties.get("shape")
    return value.text if value is not None else ""


def _element(op: Any) -> str:
    """The type of A's elements: given, or seen from the registers."""
    given = word(op, "multiplicandAPtxType")
    if given:
        return given
    kind = op.operands[0].type if op.operands else None
    return {PAIR: "f16", f64: "f64"}.get(kind, "") if kind is not None else ""


def fragments(op: Any) -> Fragments | None:
    """The row of an mma.sync, if there is one."""
    return FRAGMENTS.get((_shape(op), _element(op)))


def _sums(row: Fragments, op: Any) -> tuple[Attribute, int]:
    kind = op.operands[-1].type
    return kind, 2 if kind == PAIR else row.c


def _mma_check(op: Any) -> str | None:
    row = fragments(op)
    if row is None:
        kind = _element(op) or "unknown type"
        return f"there is no mma.sync of shape {_shape(op) or 'unknown'} for {kind}"
    if word(op, "layoutA") != "row" or word(op, "layoutB") != "col":
        return "expected layoutA = row and layoutB = col"
    kind, count = _sums(row, op)
    if kind not in row.sums:
        return f"sums of type {kind}, expected {' or '.join(map(str, row.sums))}"
    expected = [row.register] * (row.a + row.b) + [kind] * count
    found = [value.type for value in op.operands]
    if found != expected:
        return (
            f"expected {row.a} registers of A, {row.b} of B ({row.register}) and {count} of C "
            f"({kind}), got {len(found)} operands ({', '.join(map(str, found))})"
        )
    result = StructType([kind] * count)
    if len(op.results) != 1 or op.results[0].type != result:
        return f"expected a result of type {result}"
    return None


def _mma_target(op: Any) -> str:
    row = fragments(op)
    assert row is not None, "the op was verified"
    shape, kind = _shape(op), _element(op)
    if kind in ("e4m3", "e5m2"):
        return _mma_by_ptx(op, row, kind)
    sums = "f16" if op.operands[-1].type == PAIR else "f32"
    satfinite = ".satfinite" if word(op, "intOverflowBehavior") == "satfinite" else ""
    suffix = {
        "f16": f"{sums}.{sums}",
        "bf16": "bf16",
        "tf32": "tf32",
        "f64": "f64",
        "s8": "s8",
        "u8": "u8",
    }[kind]
    return f"mma.{shape}.row.col{satfinite}.{suffix}"


def _mma_by_ptx(op: Any, row: Fragments, kind: str) -> str:
    """fp8 as PTX text: `{d…}, {a…}, {b…}, {c…}`."""
    other = word(op, "multiplicandBPtxType") or kind
    counts = (row.c, row.a, row.b, row.c)
    groups: list[str] = []
    first = 0
    for count in counts:
        groups.append("{" + ", ".join(f"${n}" for n in range(first, first + count)) + "}")
        first += count
    return f"ptx:mma.sync.aligned.{_shape(op)}.row.col.f32.{kind}.{other}.f32 {', '.join(groups)};"


def _mma_needs(op: Any) -> Needs:
    row = fragments(op)
    return row.needs if row is not None else Needs()


# --- mbarriers ------------------------------------------------------------------------------------


def _mbarrier(
    meaning: str,
    name: str,
    format_: str,
    extra: tuple[Attribute, ...],
    results: tuple[Attribute, ...],
    ptx: str = "",
    needs: Needs = _AMPERE,
) -> dict[str, Row]:
    """The op on shared memory, and on a generic pointer where LLVM has it."""
    rows = {
        f"{name}.shared": Row(
            meaning,
            format_,
            f"ptx:{ptx.format(space='.shared')}" if ptx else f"{name}.shared",
            (SHARED, *extra),
            results,
            needs,
        ),
    }
    rows[name] = Row(
        f"{meaning} The pointer is generic.",
        format_,
        f"ptx:{ptx.format(space='')}" if ptx else name,
        (GENERIC, *extra),
        results,
        needs,
    )
    return rows


_MBARRIERS = {
    **_mbarrier("Initialises for so many arrivals.", "mbarrier.init", "$* {} : T*", (i32,), ()),
    **_mbarrier("Ends the use as a barrier.", "mbarrier.inval", "$0 {} : T*", (), ()),
    **_mbarrier("Arrives; gives the phase.", "mbarrier.arrive", "$0 {} : T* -> R", (), (i64,)),
    **_mbarrier(
        "Arrives for so many; does not complete the phase.",
        "mbarrier.arrive.nocomplete",
        "$* {} : T* -> R",
        (i32,),
        (i64,),
        "mbarrier.arrive.noComplete{space}.b64 $0, [$1], $2;",
    ),
    **_mbarrier(
        "Arrives, and expects so many bytes.",
        "mbarrier.arrive.expect_tx",
        "$* {} : T*",
        (i32,),
        (),
        "mbarrier.arrive.expect_tx{space}.b64 _, [$0], $1;",
        HOPPER,
    ),
    **_mbarrier(
        "Waits for the phase of this parity, with a hint of nanoseconds.",
        "mbarrier.try_wait.parity",
        "$* {} : T*",
        (i32, i32),
        (),
        "{{ .reg .pred p; LAB_${{:uid}}: mbarrier.try_wait.parity{space}.b64 p, [$0], $1, $2; "
        "@!p bra LAB_${{:uid}}; }}",
        HOPPER,
    ),
    **_mbarrier(
        "Whether the phase is over.", "mbarrier.test.wait", "$* {} : T* -> R", (i64,), (i1,)
    ),
}


# --- the text of mma.sync -------------------------------------------------------------------------


def _print_mma(op: NvvmOp, printer: Printer) -> None:
    """`A[…] B[…] C[…] {…} : (TA, TB, TC) -> R`."""
    row = fragments(op)
    a, b = (row.a, row.b) if row is not None else (len(op.operands), 0)
    operands = tuple(op.operands)
    groups = {"A": operands[:a], "B": operands[a : a + b], "C": operands[a + b :]}
    for name, values in groups.items():
        printer.print_string(f" {name}[")
        print_operands(printer, values)
        printer.print_string("]")
    op.print_attributes(printer)
    printer.print_string(" : (")
    print_types(printer, [values[0].type for values in groups.values() if values])
    printer.print_string(") -> ")
    print_types(printer, op.result_types)


def _parse_mma(cls: type[NvvmOp], parser: Parser) -> NvvmOp:
    start = parser.pos
    groups: list[list[UnresolvedOperand]] = []
    for name in "ABC":
        parser.parse_keyword(name)
        groups.append(parse_operands(parser, "[]"))
    attributes = parser.parse_optional_attr_dict()
    parser.parse_punctuation(":")
    function = parser.parse_function_type()
    if len(function.inputs) != len(groups):
        parser.raise_error("expected a type for each of A, B and C", start)
    kinds = [kind for kind, group in zip(function.inputs, groups, strict=True) for _ in group]
    operands = [operand for group in groups for operand in group]
    return cls.create(
        operands=parser.resolve_operands(operands, kinds, start),
        result_types=list(function.outputs),
        properties=attributes,
    )


MATRIX_ROWS: dict[str, Row] = {
    "ldmatrix": Row(
        "Loads 8x8 matrices of 16-bit elements, a row from each lane's pointer.",
        "$0 {} : F",
        _load_target,
        needs=Needs(75, 65),
        check=_load_check,
    ),
    "stmatrix": Row(
        "Stores 8x8 matrices of 16-bit elements.",
        "$* {} : T*",
        _store_target,
        None,
        (),
        Needs(90, 78),
        check=_store_check,
    ),
    "mma.sync": Row(
        "D = A * B + C of a small tile, by all lanes of the warp.",
        Form(_print_mma, _parse_mma),
        _mma_target,
        needs=_mma_needs,
        check=_mma_check,
    ),
    **_MBARRIERS,
}
