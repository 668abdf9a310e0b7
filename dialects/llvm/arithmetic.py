"""Arithmetic of the llvm dialect: integers, floats, comparisons, selection and casts.

Integers are signless and wrap; division by zero, INT_MIN / -1 and shifts by the width or more are
undefined. Floats follow IEEE 754 except where fast-math flags say otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Operation
from xdsl.utils.exceptions import VerifyException

from ..lists import parse_operands, print_operands
from ..traits import PURE
from .base import CastOp, CompareOp, LLVMOp, SameTypeOp
from .types import FCMP_PREDICATES, ICMP_PREDICATES, element_type, int_width

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


class BinaryOp(SameTypeOp):
    """An op on two values of one type."""

    operand_count = 2


class WrappingOp(BinaryOp):
    """An integer op that may promise not to wrap (`overflow<nsw, nuw>`)."""

    has_overflow = True


class AddOp(WrappingOp):
    """Integer sum."""

    name = "llvm.add"


class SubOp(WrappingOp):
    """Integer difference."""

    name = "llvm.sub"


class MulOp(WrappingOp):
    """Integer product."""

    name = "llvm.mul"


class ShlOp(WrappingOp):
    """Shift to the left."""

    name = "llvm.shl"


class SDivOp(BinaryOp):
    """Signed quotient, towards zero."""

    name = "llvm.sdiv"


class UDivOp(BinaryOp):
    """Unsigned quotient."""

    name = "llvm.udiv"


class SRemOp(BinaryOp):
    """Signed remainder, with the sign of the dividend."""

    name = "llvm.srem"


class URemOp(BinaryOp):
    """Unsigned remainder."""

    name = "llvm.urem"


class AndOp(BinaryOp):
    """Bitwise and."""

    name = "llvm.and"


class OrOp(BinaryOp):
    """Bitwise or."""

    name = "llvm.or"


class XorOp(BinaryOp):
    """Bitwise exclusive or."""

    name = "llvm.xor"


class LShrOp(BinaryOp):
    """Shift to the right, filling with zeros."""

    name = "llvm.lshr"


class AShrOp(BinaryOp):
    """Shift to the right, filling with the sign."""

    name = "llvm.ashr"


class FAddOp(BinaryOp):
    """Float sum."""

    name = "llvm.fadd"


class FSubOp(BinaryOp):
    """Float difference."""

    name = "llvm.fsub"


class FMulOp(BinaryOp):
    """Float product."""

    name = "llvm.fmul"


class FDivOp(BinaryOp):
    """Float quotient."""

    name = "llvm.fdiv"


class FRemOp(BinaryOp):
    """Float remainder, with the sign of the dividend."""

    name = "llvm.frem"


class FNegOp(SameTypeOp):
    """The value with its sign bit flipped."""

    name = "llvm.fneg"
    operand_count = 1


class FreezeOp(SameTypeOp):
    """The value; an arbitrary but fixed one where it was undef or poison."""

    name = "llvm.freeze"
    operand_count = 1


class ICmpOp(CompareOp):
    """Comparison of integers or pointers; `predicate` is one of `ICMP_PREDICATES`."""

    name = "llvm.icmp"
    predicates = ICMP_PREDICATES


class FCmpOp(CompareOp):
    """Comparison of floats; `predicate` is one of `FCMP_PREDICATES`."""

    name = "llvm.fcmp"
    predicates = FCMP_PREDICATES


class SelectOp(LLVMOp):
    """`%c, %a, %b : i1, T`: %a where the condition holds, else %b."""

    name = "llvm.select"
    traits = PURE
    operand_count = 3
    result_count = 1
    inherent = frozenset(("fastmathFlags",))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_operands(printer, self.operands)
        self.print_attributes(printer)
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)
        printer.print_string(", ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parse_operands(parser)
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        condition = parser.parse_type()
        parser.parse_punctuation(",")
        kind = parser.parse_type()
        return cls.create(
            operands=parser.resolve_operands(operands, [condition, kind, kind], start),
            result_types=[kind],
            properties=properties,
            attributes=attributes,
        )

    def verify_(self) -> None:
        super().verify_()
        condition = element_type(self.operands[0].type)
        if not isinstance(condition, IntegerType) or int_width(condition) != 1:
            raise VerifyException(f"expected a condition of type i1, got {condition}")
        if not self.operands[1].type == self.operands[2].type == self.results[0].type:
            raise VerifyException("expected the result and both choices to have one type")


class SExtOp(CastOp):
    """Wider integer, filled with the sign."""

    name = "llvm.sext"


class ZExtOp(CastOp):
    """Wider integer, filled with zeros."""

    name = "llvm.zext"


class TruncOp(CastOp):
    """The low bits."""

    name = "llvm.trunc"


class FPExtOp(CastOp):
    """Wider float, the same value."""

    name = "llvm.fpext"


class FPTruncOp(CastOp):
    """Narrower float, to nearest even."""

    name = "llvm.fptrunc"


class SIToFPOp(CastOp):
    """Signed integer to float."""

    name = "llvm.sitofp"


class UIToFPOp(CastOp):
    """Unsigned integer to float."""

    name = "llvm.uitofp"


class FPToSIOp(CastOp):
    """Float to signed integer, towards zero; poison out of range."""

    name = "llvm.fptosi"


class FPToUIOp(CastOp):
    """Float to unsigned integer, towards zero; poison out of range."""

    name = "llvm.fptoui"


class BitcastOp(CastOp):
    """The same bits as another type of the same size."""

    name = "llvm.bitcast"


class PtrToIntOp(CastOp):
    """The address as a number."""

    name = "llvm.ptrtoint"


class IntToPtrOp(CastOp):
    """The number as an address."""

    name = "llvm.inttoptr"


class AddrSpaceCastOp(CastOp):
    """The pointer into another address space."""

    name = "llvm.addrspacecast"


OPERATIONS: list[type[Operation]] = [
    *(AddOp, SubOp, MulOp, ShlOp, SDivOp, UDivOp, SRemOp, URemOp, AndOp, OrOp, XorOp),
    *(LShrOp, AShrOp, FAddOp, FSubOp, FMulOp, FDivOp, FRemOp, FNegOp, FreezeOp, ICmpOp),
    *(FCmpOp, SelectOp, SExtOp, ZExtOp, TruncOp, FPExtOp, FPTruncOp, SIToFPOp),
    *(UIToFPOp, FPToSIOp, FPToUIOp, BitcastOp, PtrToIntOp, IntToPtrOp, AddrSpaceCastOp),
]
