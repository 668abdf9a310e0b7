"""Holds a module of the nvvm level against an architecture, before LLVM sees it.

LLVM ends the process over an instruction that an architecture lacks ("Cannot select"), over a
function that a GPU has no library for, and over inline PTX whose registers do not fit.
"""

from __future__ import annotations

from xdsl.ir import Attribute, Operation

from ...dialects import llvm
from ...dialects.diagnostics import CompileError, location_of
from ...dialects.llvm.base import fast_math
from ...dialects.nvvm import NvvmOp
from ..emit.nvvm import PTX, constraint
from .limits import beyond, unknown_operand
from .target import NvvmTarget


def check_architecture(root: Operation, target: NvvmTarget) -> None:
    """Raises one CompileError that lists the ops which the architecture does not have."""
    errors = [error for op in root.walk() if (error := _refusal(op, target)) is not None]
    if errors:
        raise CompileError.collect(f"{target.arch} cannot run this kernel", errors)


# Functions for which LLVM would call a library.
_NO_LIBRARY = frozenset(
    (
        *("sin", "cos", "tan", "sincos", "exp", "exp2", "exp10", "log", "log2", "log10", "pow"),
        *("powi", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "ldexp", "frexp"),
        *("modf", "lrint", "llrint", "lround", "llround", "sinpi", "cospi"),
    )
)
# With the flag afn these are approximate instructions, of f32.
_APPROXIMATE = frozenset(("sin", "cos", "exp2"))


def _refusal(op: Operation, target: NvvmTarget) -> CompileError | None:
    reason = _reason(op, target)
    return CompileError(reason, location_of(op)) if reason is not None else None


def _reason(op: Operation, target: NvvmTarget) -> str | None:
    if isinstance(op, NvvmOp):
        return _instruction(op, target) or _registers(op)
    if isinstance(op, llvm.IntrinsicOp | llvm.CallIntrinsicOp):
        return _library(op) or beyond(op)
    if isinstance(op, llvm.InlineAsmOp):
        return _inline_assembler(op)
    return beyond(op)


def _library(op: llvm.IntrinsicOp | llvm.CallIntrinsicOp) -> str | None:
    name = op.intrinsic.removeprefix("llvm.").partition(".")[0]
    if name not in _NO_LIBRARY:
        return None
    if name in _APPROXIMATE and str(op.operands[0].type) == "f32":
        flags = fast_math(op)
        if "afn" in flags or "fast" in flags:
            return None
    return f"llvm.{name} of {op.operands[0].type} needs a library, which a GPU does not have"


def _registers(op: NvvmOp) -> str | None:
    """Inline PTX takes what fits a register."""
    if not op.target.startswith(PTX):
        return None
    wrong = unknown_operand(op.target.removeprefix(PTX), _register_count(op))
    if wrong is not None:
        return f"{op.name}: {wrong}"
    for value in (*op.operands, *op.results):
        kind = value.type
        fields = kind.fields.data if isinstance(kind, llvm.StructType) else (kind,)
        for field in fields:
            if not _fits(field):
                return f"{op.name}: a value of type {field} has no register in PTX"
    return None


def _register_count(op: NvvmOp) -> int:
    kinds = [value.type for value in (*op.results, *op.operands)]
    return sum(len(k.fields.data) if isinstance(k, llvm.StructType) else 1 for k in kinds)


def _fits(kind: Attribute) -> bool:
    text = str(kind)
    if isinstance(kind, llvm.PointerType):
        return True
    return text in ("i1", "i16", "i32", "i64", "f16", "f32", "f64", "vector<2xf16>")


def _inline_assembler(op: llvm.InlineAsmOp) -> str | None:
    """Each constraint must be the register class of its value's type."""
    words = [word for word in op.text_property("constraints").split(",") if word]
    words = [word for word in words if not word.startswith("~")]
    kinds = [result.type for result in op.results]
    if len(kinds) == 1 and isinstance(kinds[0], llvm.StructType):
        kinds = list(kinds[0].fields.data)
    expected = [f"={constraint(kind)}" for kind in kinds]
    expected += [constraint(value.type) for value in op.operands]
    if words == expected and all(map(_fits, (*kinds, *(v.type for v in op.operands)))):
        return unknown_operand(op.text_property("asm_string"), len(words))
    return (
        f"inline PTX has the constraints {','.join(words) or 'none'}, its values need "
        f"{','.join(expected) or 'none'}"
    )


def _instruction(op: NvvmOp, target: NvvmTarget) -> str | None:
    needs = op.needs
    own = f"{target.sm}{target.suffix}"
    if needs.variants:
        if own in needs.variants:
            return None
        wanted = " or ".join(f"sm_{name}" for name in needs.variants)
        return f"{op.name} needs {wanted}, not {target.arch}"
    if target.sm >= needs.sm:
        return None
    return f"{op.name} needs sm_{needs.sm} or later, not {target.arch}"
