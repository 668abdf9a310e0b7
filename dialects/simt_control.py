"""Control flow of simt: structured, with exits.

The single block of a region ends in

- `yield`     fall out of the region,
- `break`     leave the innermost loop without running its `else`,
- `continue`  go on with the innermost loop's next iteration,
- `return`    end the function with its results; in a kernel, end the thread.

`if` has a `then` and an optional `else` region. `for` counts from `lower` (included) to `upper`
(excluded) by a positive `step`; the bounds are evaluated once, before the first iteration. `while`
runs its first region, which ends in `condition`, before each iteration. The `else` region of a loop
runs when the loop ends without `break`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from xdsl.dialects.builtin import (
    IndexTypeConstr,
    SignlessIntegerConstraint,
    i1,
)
from xdsl.ir import (
    Operation,
    Region,
    SSAValue,
)
from xdsl.irdl import (
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import (
    IsTerminator,
    RecursiveMemoryEffect,
    ReturnLike,
)
from xdsl.utils.exceptions import VerifyException

from .lazy_format import op_with_format

if TYPE_CHECKING:
    from typing import Self

    from xdsl.parser import Parser
    from xdsl.printer import Printer


@op_with_format("attr-dict")
class YieldOp(IRDLOperation):
    """Fall out of the region."""

    name = "simt.yield"
    traits = traits_def(IsTerminator())

    def __init__(self):
        super().__init__()


@op_with_format("attr-dict")
class BreakOp(IRDLOperation):
    """Leave the innermost loop; its `else` does not run."""

    name = "simt.break"
    traits = traits_def(IsTerminator())

    def __init__(self):
        super().__init__()


@op_with_format("attr-dict")
class ContinueOp(IRDLOperation):
    """Go on with the innermost loop's next iteration."""

    name = "simt.continue"
    traits = traits_def(IsTerminator())

    def __init__(self):
        super().__init__()


@op_with_format("($values^ `:` type($values))? attr-dict")
class ReturnOp(IRDLOperation):
    """End the function with its results; in a kernel, end the thread."""

    name = "simt.return"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), ReturnLike())

    def __init__(self, values: Sequence[SSAValue] = ()):
        super().__init__(operands=[values])


@op_with_format("$condition attr-dict")
class ConditionOp(IRDLOperation):
    """Ends the first region of a `while`: go on while the condition holds."""

    name = "simt.condition"
    condition = operand_def(i1)
    traits = traits_def(IsTerminator())

    def __init__(self, condition: SSAValue):
        super().__init__(operands=[condition])


EXITS = (YieldOp, BreakOp, ContinueOp, ReturnOp)


def _verify_body(op: Operation, region: Region, *, last: tuple[type[Operation], ...] = EXITS):
    block = region.block
    if not isinstance(block.last_op, last):
        names = ", ".join(kind.name for kind in last)
        found = block.last_op.name if block.last_op else "nothing"
        raise VerifyException(f"a region of {op.name} ends in {found}, expected one of {names}")


def _parse_else(parser: Parser) -> Region:
    return parser.parse_region() if parser.parse_optional_keyword("else") else Region()


def _print_else(printer: Printer, region: Region) -> None:
    if region.blocks:
        printer.print_string(" else ")
        printer.print_region(region, print_entry_block_args=False)


class _Structured(IRDLOperation):
    """What the three control flow ops share: an else region that may be empty."""

    def _print_attributes(self, printer: Printer) -> None:
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class IfOp(_Structured):
    """`simt.if %cond { … } else { … }`."""

    name = "simt.if"
    condition = operand_def(i1)
    then_region = region_def("single_block")
    else_region = region_def()
    traits = traits_def(RecursiveMemoryEffect())

    def __init__(self, condition: SSAValue, then: Region, orelse: Region | None = None):
        super().__init__(operands=[condition], regions=[then, orelse or Region()])

    def verify_(self) -> None:
        for region in self.regions:
            if region.blocks:
                _verify_body(self, region)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        condition = parser.parse_operand(i1)
        then = parser.parse_region()
        op = cls(condition, then, _parse_else(parser))
        op.attributes |= parser.parse_optional_attr_dict()
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.condition)
        printer.print_string(" ")
        printer.print_region(self.then_region, print_entry_block_args=False)
        _print_else(printer, self.else_region)
        self._print_attributes(printer)


@irdl_op_definition
class ForOp(_Structured):
    """`simt.for %i = %lo to %hi step %st : index { … } else { … }`; compares are signed."""

    name = "simt.for"
    T: ClassVar = VarConstraint("T", IndexTypeConstr | SignlessIntegerConstraint)
    lower = operand_def(T)
    upper = operand_def(T)
    step = operand_def(T)
    body = region_def("single_block")
    else_region = region_def()
    traits = traits_def(RecursiveMemoryEffect())

    def __init__(
        self,
        lower: SSAValue,
        upper: SSAValue,
        step: SSAValue,
        body: Region,
        orelse: Region | None = None,
    ):
        super().__init__(operands=[lower, upper, step], regions=[body, orelse or Region()])

    def verify_(self) -> None:
        if [arg.type for arg in self.body.block.args] != [self.lower.type]:
            raise VerifyException(f"body takes one argument of type {self.lower.type}")
        for region in self.regions:
            if region.blocks:
                _verify_body(self, region)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        variable = parser.parse_argument(expect_type=False)
        parser.parse_punctuation("=")
        lower = parser.parse_unresolved_operand()
        parser.parse_characters("to")
        upper = parser.parse_unresolved_operand()
        parser.parse_characters("step")
        step = parser.parse_unresolved_operand()
        parser.parse_punctuation(":")
        type_ = parser.parse_type()
        bounds = parser.resolve_operands((lower, upper, step), [type_] * 3, parser.pos)
        body = parser.parse_region((variable.resolve(type_),))
        op = cls(bounds[0], bounds[1], bounds[2], body, _parse_else(parser))
        op.attributes |= parser.parse_optional_attr_dict()
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.body.block.args[0])
        for word, value in ((" = ", self.lower), (" to ", self.upper), (" step ", self.step)):
            printer.print_string(word)
            printer.print_operand(value)
        printer.print_string(" : ")
        printer.print_attribute(self.lower.type)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)
        _print_else(printer, self.else_region)
        self._print_attributes(printer)


@irdl_op_definition
class WhileOp(_Structured):
    """`simt.while { …; simt.condition %c } do { … } else { … }`."""

    name = "simt.while"
    before = region_def("single_block")
    body = region_def("single_block")
    else_region = region_def()
    traits = traits_def(RecursiveMemoryEffect())

    def __init__(self, before: Region, body: Region, orelse: Region | None = None):
        super().__init__(regions=[before, body, orelse or Region()])

    def verify_(self) -> None:
        _verify_body(self, self.before, last=(ConditionOp,))
        _verify_body(self, self.body)
        if self.else_region.blocks:
            _verify_body(self, self.else_region)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        before = parser.parse_region()
        parser.parse_keyword("do")
        body = parser.parse_region()
        op = cls(before, body, _parse_else(parser))
        op.attributes |= parser.parse_optional_attr_dict()
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_region(self.before, print_entry_block_args=False)
        printer.print_string(" do ")
        printer.print_region(self.body, print_entry_block_args=False)
        _print_else(printer, self.else_region)
        self._print_attributes(printer)
