"""The intrinsics of LLVM that have an op of their own in the llvm dialect, as a table.

`INTRINSICS["fma"]` is the op `llvm.intr.fma`, which stands for the overloads `llvm.fma.f32`, ….
Any other intrinsic is called by its full name with `CallIntrinsicOp`.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from xdsl.ir import Operation, OpTraits

from ..traits import NO_TRAITS, PURE
from .base import FunctionFormOp


class Intrinsic(NamedTuple):
    """What the emitter must know of an intrinsic."""

    operands: int
    overloads: str = "r"
    """Whose types are in the full name: r is the result, a digit an operand."""

    immediate: str = ""
    """A property that becomes a last operand of type i1."""

    pure: bool = True


_UNARY = (
    *("sqrt", "sin", "cos", "exp", "exp2", "exp10", "log", "log2", "log10", "fabs", "floor"),
    *("ceil", "trunc", "rint", "nearbyint", "round", "roundeven", "ctpop", "bitreverse", "bswap"),
)
_BINARY = (
    *("pow", "copysign", "minnum", "maxnum", "minimum", "maximum", "smax", "smin", "umax", "umin"),
)
_SATURATING = ("sadd.sat", "uadd.sat", "ssub.sat", "usub.sat", "sshl.sat", "ushl.sat")
_REDUCTIONS = ("add", "mul", "and", "or", "xor", "smax", "smin", "umax", "umin")
_FLOAT_REDUCTIONS = ("fmax", "fmin", "fmaximum", "fminimum")
_OVERFLOWS = (
    *("sadd.with.overflow", "uadd.with.overflow", "ssub.with.overflow", "usub.with.overflow"),
    *("smul.with.overflow", "umul.with.overflow"),
)

TABLE: dict[str, Intrinsic] = {
    **{name: Intrinsic(1) for name in _UNARY},
    **{name: Intrinsic(2) for name in _BINARY},
    "ctlz": Intrinsic(1, immediate="is_zero_poison"),
    "cttz": Intrinsic(1, immediate="is_zero_poison"),
    "abs": Intrinsic(1, immediate="is_int_min_poison"),
    **{name: Intrinsic(3) for name in ("fma", "fmuladd", "fshl", "fshr")},
    "powi": Intrinsic(2, "r1"),
    **{name: Intrinsic(2) for name in _SATURATING},
    **{name: Intrinsic(2, "0") for name in _OVERFLOWS},
    **{f"vector.reduce.{name}": Intrinsic(1, "0") for name in _REDUCTIONS},
    **{f"vector.reduce.{name}": Intrinsic(1, "0") for name in _FLOAT_REDUCTIONS},
    **{f"vector.reduce.{name}": Intrinsic(2, "1") for name in ("fadd", "fmul")},
    "expect": Intrinsic(2),
    "assume": Intrinsic(1, "", pure=False),
    "trap": Intrinsic(0, "", pure=False),
}  # fmt: skip


class IntrinsicOp(FunctionFormOp):
    """An intrinsic of `TABLE`: `(%a, %b) {…} : (T, T) -> T`."""

    result_count = None
    intrinsic: ClassVar[str] = ""

    inherent = frozenset(("fastmathFlags", "is_zero_poison", "is_int_min_poison"))


def _declare(name: str, entry: Intrinsic) -> type[IntrinsicOp]:
    traits: OpTraits = PURE if entry.pure else NO_TRAITS
    members: dict[str, object] = {
        "name": f"llvm.intr.{name}",
        "intrinsic": name,
        "traits": traits,
        "operand_count": entry.operands,
        "__module__": __name__,
        "__doc__": f"The intrinsic `llvm.{name}`.",
    }
    title = "".join(part.capitalize() for part in name.split("."))
    return type(f"{title}Intrinsic", (IntrinsicOp,), members)


INTRINSICS: dict[str, type[IntrinsicOp]] = {
    name: _declare(name, entry) for name, entry in TABLE.items()
}
OPERATIONS: list[type[Operation]] = list(INTRINSICS.values())
