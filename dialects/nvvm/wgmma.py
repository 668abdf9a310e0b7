"""wgmma.mma_async: a product of 64 rows by the four warps of a warpgroup, from shared memory.

The text is upstream's:

    %d = nvvm.wgmma.mma_async %a, %b, %c, <m = 64, n = 8, k = 16>, D[<f32>, <one>],
           A[<bf16>, <one>, <row>], B[<bf16>, <one>, <col>] : !llvm.struct<…> -> !llvm.struct<…>

`%a` and `%b` are descriptors of matrices in shared memory (`descriptor` in PTX's words), `%c` is
a struct of the sums. LLVM has no intrinsic; the PTX is `wgmma_text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from xdsl.dialects.builtin import IntegerAttr, f32, i32, i64
from xdsl.ir import Attribute
from xdsl.irdl import irdl_attr_definition

from ..lists import print_operands
from ..llvm.types import StructType
from .attributes import KeywordAttr, LayoutAttr, ShapeAttr
from .base import Form, Needs, NvvmOp, Row

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer

WARPGROUP = Needs(90, 80, ("90a",))
ROWS = 64


@irdl_attr_definition
class WgmmaTypeAttr(KeywordAttr):
    """`#nvvm.wgmma_type<bf16>`."""

    name = "nvvm.wgmma_type"


@irdl_attr_definition
class ScaleOutAttr(KeywordAttr):
    """`#nvvm.wgmma_scale_out<zero>`: the sums count (one) or not."""

    name = "nvvm.wgmma_scale_out"


@irdl_attr_definition
class ScaleInAttr(KeywordAttr):
    """`#nvvm.wgmma_scale_in<neg>`: a factor with its sign or the other one."""

    name = "nvvm.wgmma_scale_in"


class Kind(NamedTuple):
    """A type of elements: products along k, types of sums, whether the layouts can be chosen."""

    k: int
    sums: tuple[str, ...]
    turns: bool = False


_HALF_OR_FULL, _FULL, _INTEGER = ("f32", "f16"), ("f32",), ("s32",)
KINDS: dict[str, Kind] = {
    "f16": Kind(16, _HALF_OR_FULL, True),
    "bf16": Kind(16, _FULL, True),
    "tf32": Kind(8, _FULL),
    "e4m3": Kind(32, _HALF_OR_FULL),
    "e5m2": Kind(32, _HALF_OR_FULL),
    "s8": Kind(32, _INTEGER),
    "u8": Kind(32, _INTEGER),
}
MIXED = ({"e4m3", "e5m2"}, {"s8", "u8"})
"""Types of A and B that go together though they differ."""


def sum_registers(n: int, word: str) -> list[Attribute]:
    """The registers of a thread for n columns of sums; two f16 share one."""
    if word == "f16":
        return [i32] * (n // 4)
    return [f32 if word == "f32" else i32] * (n // 2)


def fits_columns(kind: Kind, n: int) -> bool:
    """Whether there is a wgmma of so many columns."""
    if n % 8 or not 8 <= n <= 256:
        return False
    return kind.sums != _INTEGER or n == 24 or n in (8, 16, 32) or (n >= 48 and n % 16 == 0)


def wgmma_text(
    word: str,
    n: int,
    *,
    sums: str = "f32",
    b_word: str = "",
    a_registers: int = 0,
    scale_d: bool | None = True,
    scales: tuple[int, int] = (1, 1),
    turned: tuple[int, int] = (0, 0),
) -> str:
    """The PTX: `$0` … are the sums, then the same again on the way in, then A and B.

    `scale_d`: whether the sums on the way in count; None for one more operand that says it.
    """
    kind = KINDS[word]
    count = len(sum_registers(n, sums))
    totals = ", ".join(f"${i}" for i in range(count))
    place = 2 * count
    left = f"${place}"
    if a_registers:
        left = "{" + ", ".join(f"${place + i}" for i in range(a_registers)) + "}"
    place += max(1, a_registers)
    right = f"${place}"
    counts = f"${place + 1}" if scale_d is None else int(scale_d)
    more = [] if kind.sums == _INTEGER else list(map(str, scales))
    if kind.turns:  # A in registers has one layout
        more += map(str, turned[1:] if a_registers else turned)
    name = f"m{ROWS}n{n}k{kind.k}.{sums}.{word}.{b_word or word}"
    operands = ", ".join([f"{{{totals}}}", left, right, "p", *more])
    return (
        f"{{ .reg .pred p; setp.ne.b32 p, {counts}, 0; "
        f"wgmma.mma_async.sync.aligned.{name} {operands}; }}"
    )


_PARTS = ("D", "A", "B")
_KEYWORDS = {
    "typeD": WgmmaTypeAttr,
    "scaleD": ScaleOutAttr,
    "typeA": WgmmaTypeAttr,
    "scaleA": ScaleInAttr,
    "layoutA": LayoutAttr,
    "typeB": WgmmaTypeAttr,
    "scaleB": ScaleInAttr,
    "layoutB": LayoutAttr,
}


def _word(op: Any, name: str) -> str:
    value = op.properties.get(name)
    return str(value.data) if value is not None else ""


def _check(op: Any) -> str | None:
    shape, word = op.properties.get("shape"), _word(op, "typeA")
    kind = KINDS.get(word)
    if not isinstance(shape, ShapeAttr) or kind is None:
        return f"there is no wgmma of {word or 'unknown type'}, only of {', '.join(KINDS)}"
    m, n, k = shape.data
    if (m, k) != (ROWS, kind.k) or not fits_columns(kind, n):
        return f"there is no wgmma of shape {shape.text} for {word}, expected m64n8k{kind.k} and up"
    other = _word(op, "typeB")
    if other != word and {word, other} not in MIXED:
        return f"types {word} and {other} do not go together"
    if _word(op, "typeD") not in kind.sums:
        return f"sums of type {_word(op, 'typeD')}, expected {' or '.join(kind.sums)}"
    if not kind.turns and (_word(op, "layoutA"), _word(op, "layoutB")) != ("row", "col"):
        return f"expected the layouts row and col for {word}"
    if kind.sums == _INTEGER and "neg" in (_word(op, "scaleA"), _word(op, "scaleB")):
        return "the factors of integers keep their sign"
    struct = StructType(sum_registers(n, _word(op, "typeD")))
    if [value.type for value in op.operands] != [i64, i64, struct]:
        return f"expected two descriptors of type i64 and sums of type {struct}"
    if [value.type for value in op.results] != [struct]:
        return f"expected a result of type {struct}"
    return None


def _needs(op: Any) -> Needs:
    return WARPGROUP._replace(ptx=least_ptx(_word(op, "typeA"), _word(op, "typeB")))


def least_ptx(a: str, b: str) -> int:
    """The PTX version that has products of these types."""
    return 84 if {a, b} == {"s8", "u8"} else WARPGROUP.ptx


def target(op: Any) -> str:
    """The PTX of the op, whose struct of sums comes as its fields."""
    return "ptx:" + wgmma_text(
        _word(op, "typeA"),
        op.properties["shape"].data[1],
        sums=_word(op, "typeD"),
        b_word=_word(op, "typeB"),
        scale_d=_word(op, "scaleD") != "zero",
        scales=(
            -1 if _word(op, "scaleA") == "neg" else 1,
            -1 if _word(op, "scaleB") == "neg" else 1,
        ),
        turned=(int(_word(op, "layoutA") == "col"), int(_word(op, "layoutB") == "row")),
    )


def print_wgmma(op: NvvmOp, printer: Printer) -> None:
    """What follows the op's name."""
    printer.print_string(" ")
    print_operands(printer, op.operands)
    printer.print_string(", ")
    shape = op.properties["shape"]
    assert isinstance(shape, ShapeAttr), "the op was verified"
    shape.print_parameter(printer)
    for part in _PARTS:
        words = [f"<{_word(op, name)}>" for name in _KEYWORDS if name.endswith(part)]
        printer.print_string(f", {part}[{', '.join(words)}]")
    op.print_attributes(printer, but=["shape", *_KEYWORDS])
    printer.print_string(" : ")
    printer.print_attribute(op.operands[-1].type)
    printer.print_string(" -> ")
    printer.print_attribute(op.result_types[0])


def parse_wgmma(cls: type[NvvmOp], parser: Parser) -> NvvmOp:
    """The inverse of `print_wgmma`; attributes may have their full names."""
    start = parser.pos
    operands = [parser.parse_unresolved_operand()]
    for _ in range(2):
        parser.parse_punctuation(",")
        operands.append(parser.parse_unresolved_operand())
    parser.parse_punctuation(",")
    properties: dict[str, Attribute] = {"shape": _short_or_full(parser, ShapeAttr)}
    for part in _PARTS:
        parser.parse_punctuation(",")
        parser.parse_keyword(part)
        names = [name for name in _KEYWORDS if name.endswith(part)]
        with parser.in_square_brackets():
            for position, name in enumerate(names):
                if position:
                    parser.parse_punctuation(",")
                properties[name] = _short_or_full(parser, _KEYWORDS[name])
    attributes = parser.parse_optional_attr_dict()
    parser.parse_punctuation(":")
    struct = parser.parse_type()
    parser.parse_punctuation("->")
    result = parser.parse_type()
    return cls.create(
        operands=parser.resolve_operands(operands, [i64, i64, struct], start),
        result_types=[result],
        properties=properties,
        attributes=attributes,
    )


def _short_or_full(parser: Parser, kind: Any) -> Attribute:
    """`<f32>` or `#nvvm.wgmma_type<f32>`."""
    found = parser.parse_optional_attribute()
    return found if found is not None else kind(kind.parse_parameter(parser))


def tied_properties(count: int, text: str, ptx: int) -> dict[str, str | int | Attribute]:
    """The properties of an `inline_ptx` of this text, whose first operands are its results too."""
    return {"ptxCode": text, "sm": WARPGROUP.sm, "ptx": ptx, "tied": IntegerAttr(count, i32)}


WGMMA_ATTRIBUTES: Sequence[type[Attribute]] = (WgmmaTypeAttr, ScaleOutAttr, ScaleInAttr)

WGMMA_ROWS = {
    "wgmma.fence.aligned": Row(
        "Orders registers before wgmma.",
        "{}",
        "wgmma.fence.sync.aligned",
        (),
        (),
        WARPGROUP,
    ),
    "wgmma.mma_async": Row(
        "D = A * B + D of 64 rows, by the four warps of a warpgroup; ends with its group.",
        Form(print_wgmma, parse_wgmma),
        target,
        needs=_needs,
        check=_check,
    ),
    "wgmma.commit.group.sync.aligned": Row(
        "The wgmmas so far are a group.",
        "{}",
        "wgmma.commit_group.sync.aligned",
        (),
        (),
        WARPGROUP,
    ),
    "wgmma.wait.group.sync.aligned": Row(
        "Waits until at most so many groups are under way.",
        "#group {}",
        "wgmma.wait_group.sync.aligned",
        (),
        (),
        WARPGROUP,
        immediates=("group",),
        immediate_type="i64",
    ),
}
