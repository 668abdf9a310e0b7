"""What LLVM's back end for PTX cannot do on any architecture, and would end the process over.

Kernels from files may hold any op of the llvm dialect: an intrinsic of another target or of LLVM's
own runtime, inline PTX that names an operand it does not have, 128 bits where 64 are the limit.
"""

from __future__ import annotations

import re

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute, Operation

from ...dialects import llvm
from ...dialects.llvm.intrinsics import TABLE

_WIDEST = 64
# Beside those with an op; `fptosi.sat` stands for its overloads, as `fptosi.sat.i32.f32`.
_CALLED_BY_NAME = frozenset(
    (
        *("fptosi.sat", "fptoui.sat", "minimumnum", "maximumnum", "nvvm.ex2.approx.ftz.f"),
        *("nvvm.lg2.approx.f", "nvvm.fma.rn.sat.f", "nvvm.fma.rm.f"),
    )
)
_CONVERSIONS = (llvm.SIToFPOp, llvm.UIToFPOp, llvm.FPToSIOp, llvm.FPToUIOp)
_ATOMICS = (llvm.AtomicRMWOp, llvm.CmpXchgOp)
_ACCESSES = (llvm.LoadOp, llvm.StoreOp)
# $0, ${0:x}; ${:uid} is a number of its own, $$ a dollar, $( $| $) are LLVM's alternatives.
_REFERENCE = re.compile(r"\$(?:(\d+)|\{(\d+)(?::\w+)?\}|\{:(?:uid|comment|private)\}|[$(|)])?")


def beyond(op: Operation) -> str | None:
    """Why LLVM cannot translate an op, or None."""
    if isinstance(op, llvm.CallIntrinsicOp):
        return _intrinsic(op.intrinsic)
    if isinstance(op, llvm.IntrinsicOp) and op.intrinsic == "bswap":
        return _bytes(op.operands[0].type)
    if isinstance(op, _CONVERSIONS):
        return _wide(op, "converted from or to a float")
    if isinstance(op, _ATOMICS) or (isinstance(op, _ACCESSES) and op.int_property("ordering")):
        return _wide(op, "accessed atomically")
    return None


def unknown_operand(template: str, count: int) -> str | None:
    """What is wrong with the operands that inline PTX names, of which there are so many."""
    for match in _REFERENCE.finditer(template):
        number = match[1] or match[2]
        if match[0] == "$":
            rest = template[match.start() : match.start() + 8]
            return f"inline PTX has {rest!r}, expected the number of an operand (or $$) after $"
        if number is not None and int(number) >= count:
            return f"inline PTX names ${number}, and has the operands $0 to ${count - 1}"
    return None


def _intrinsic(name: str) -> str | None:
    word = name.removeprefix("llvm.")
    known = (*_CALLED_BY_NAME, *TABLE)
    if any(word == one or word.startswith(f"{one}.") for one in known):
        return None
    return (
        f"the intrinsic {name} is none of those that are known to work here (see nvvm.inline_ptx)"
    )


def _bytes(kind: Attribute) -> str | None:
    element = llvm.element_type(kind)
    if isinstance(element, IntegerType) and llvm.int_width(element) % 16 == 0:
        return None
    return f"llvm.bswap of {kind}, expected an even number of bytes"


def _wide(op: Operation, what: str) -> str | None:
    for value in (*op.operands, *op.results):
        element = llvm.element_type(value.type)
        if isinstance(element, IntegerType) and llvm.int_width(element) > _WIDEST:
            return f"a value of type {value.type} cannot be {what}, {_WIDEST} bits are the most"
    return None
