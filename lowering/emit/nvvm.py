"""nvvm ops as LLVM text: a call of the intrinsic, or inline PTX, as the op's row says.

    %r = nvvm.vote.ballot.sync %m, %p : i32     %v1 = call i32 @llvm.nvvm.vote.ballot.sync(i32 …)
    nvvm.trap                                   call void asm sideeffect "trap;", "~{memory}"()

Importing this module makes them known to the emitter of LLVM text.
"""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerType, VectorType
from xdsl.ir import Attribute, Operation
from xdsl.rewriter import Rewriter

from ...dialects import llvm
from ...dialects.llvm.base import numbers
from ...dialects.nvvm import OPS, NvvmOp
from ...dialects.nvvm.base import as_attribute
from ...dialects.nvvm.wgmma import tied_properties
from .llvm_constants import quoted
from .llvm_text import EMITTERS, FunctionText

PTX = "ptx:"
SHARED = 3


def constraint(kind: Attribute) -> str:
    """The register class of a type in inline PTX."""
    if isinstance(kind, IntegerType):
        return {1: "b", 8: "h", 16: "h", 64: "l"}.get(llvm.int_width(kind), "r")
    if isinstance(kind, llvm.PointerType):
        return "r" if kind.space.data == SHARED else "l"  # see `SHORT_POINTERS`
    if isinstance(kind, VectorType):
        return "r"
    return {"f32": "f", "f64": "d"}.get(str(kind), "h")


def least_ptx(root: Operation) -> int:
    """The least PTX version that all ops need: 63 for 6.3."""
    return max((op.needs.ptx for op in root.walk() if isinstance(op, NvvmOp)), default=63)


def expand_wgmma(root: Operation) -> None:
    """wgmma.mma_async as inline PTX: the sums are registers that it reads and writes."""
    for op in [op for op in root.walk() if isinstance(op, OPS["wgmma.mma_async"])]:
        a, b, sums = op.operands
        assert isinstance(sums.type, llvm.StructType), "the op was verified"
        parts = [
            llvm.ExtractValueOp.create(
                operands=[sums],
                result_types=[kind],
                properties={"position": numbers((n,), 64)},
                location=op.location,
            )
            for n, kind in enumerate(sums.type.fields.data)
        ]
        properties = tied_properties(len(parts), op.target[len(PTX) :], op.needs.ptx)
        new = OPS["inline_ptx"].create(
            operands=[*(part.results[0] for part in parts), a, b],
            result_types=[sums.type],
            properties={name: as_attribute(value) for name, value in properties.items()},
            location=op.location,
        )
        Rewriter.replace_op(op, [*parts, new], new.results)


def _emit(f: FunctionText, op: NvvmOp) -> str:
    target = op.target
    given = [f.typed(value) for value in op.operands]
    results = f.type(op.results[0].type) if op.results else "void"
    if target.startswith(PTX):
        return _inline(f, op, target[len(PTX) :], given, results)
    if op.row.order is not None:
        given = list(op.row.order(given))
    if op.row.first is not None and (first := op.row.first(op)):
        given.insert(0, first)
    given += [f"{op.row.immediate_type} {op.int_property(name)}" for name in op.row.immediates]
    return f"call {results} @llvm.nvvm.{target}({', '.join(given)})"


def _inline(f: FunctionText, op: NvvmOp, text: str, given: list[str], results: str) -> str:
    kinds: list[Attribute] = [result.type for result in op.results]
    if len(kinds) == 1 and isinstance(kinds[0], llvm.StructType):
        kinds = list(kinds[0].fields.data)
    words = [f"={constraint(kind)}" for kind in kinds]
    tied = op.int_property("tied")
    words += map(str, range(tied))
    words += [constraint(value.type) for value in op.operands[tied:]]
    words += [] if op.row.traits.traits else ["~{memory}"]
    flags = "" if op.row.traits.traits else "sideeffect "
    # What lanes do together is neither copied into branches nor moved across them.
    together = " convergent" if flags else ""
    words_text = quoted(",".join(words))
    given_text = ", ".join(given)
    return f"call {results} asm {flags}{quoted(text)}, {words_text}({given_text}){together}"


for _op_class in OPS.values():
    EMITTERS[_op_class] = _emit
