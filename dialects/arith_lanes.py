"""arith: the ops that xDSL defines for scalars only and upstream for vectors too.

    %m = arith.cmpf olt, %a, %b : vector<8xf32>                    gives vector<8xi1>
    %r = arith.select %m, %a, %b : vector<8xi1>, vector<8xf32>     each lane chooses
    %w = arith.extsi %n : vector<8xi16> to vector<8xi32>

For each there is a class of its own, a subclass of xDSL's, which the parser takes for vectors:
what asks for xDSL's class by `isinstance` gets both, what has a table by class only scalars.
`on_lanes(arith.ExtSIOp, kind)` is the class to build with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import VectorType, i1
from xdsl.ir import Attribute, Block, Dialect, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from .arith import ARITH as FOR_SCALARS

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


def is_vector(kind: Attribute) -> bool:
    """Whether a type has lanes."""
    return isinstance(kind, VectorType)


class _OnLanes(Operation):
    """What these classes share."""

    scalar: ClassVar[type[Operation]]

    @classmethod
    def create(cls, operands: Sequence[SSAValue] = (), **parts: Any) -> Any:
        """As `Operation.create`; scalars, which the generic syntax gives as well, are xDSL's."""
        if operands and not is_vector(operands[0].type):
            return cls.scalar.create(operands=operands, **parts)
        return super().create(operands=operands, **parts)

    def verify_(self) -> None:
        """One number of lanes; and in each lane what xDSL asks of a scalar."""
        values = (*self.operands, *self.results)
        if not all(is_vector(value.type) for value in values):
            raise VerifyException("expected vectors only")
        kinds = [cast(VectorType[Attribute], value.type) for value in values]
        if len({kind.get_shape() for kind in kinds}) != 1:
            raise VerifyException("expected vectors with the same number of lanes")
        elements = [kind.element_type for kind in kinds]
        count = len(self.operands)
        lane = type(self).scalar.create(
            operands=Block(arg_types=elements[:count]).args,
            result_types=elements[count:],
            properties=self.properties,
        )
        lane.verify_()


class _Cast(_OnLanes):
    """Form `%a {…} : T to U`."""

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        operand = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        source = parser.parse_type()
        parser.parse_keyword("to")
        made = cls if is_vector(source) else cls.scalar
        return made.create(
            operands=[parser.resolve_operand(operand, source)],
            result_types=[parser.parse_type()],
            attributes=attributes,
        )


class _Compare(_OnLanes):
    """Form `slt, %a, %b : T`; the result is a mask."""

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        lane: Any = cls.scalar
        op: Operation = lane.parse(parser)
        kind = op.operands[0].type
        if not isinstance(kind, VectorType):
            return op
        made = cls.create(
            operands=op.operands,
            result_types=[VectorType(i1, kind.get_shape())],
            properties=op.properties,
            attributes=op.attributes,
        )
        op.erase()
        return made


class _Select(_OnLanes):
    """Form `%c, %a, %b : mask, T`, or `%c, %a, %b : T` where one condition is for all lanes."""

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        start = parser.pos
        operands = [parser.parse_unresolved_operand()]
        for _ in range(2):
            parser.parse_punctuation(",")
            operands.append(parser.parse_unresolved_operand())
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        kinds: list[Attribute] = [parser.parse_type()]
        if parser.parse_optional_punctuation(",") is not None:
            kinds.append(parser.parse_type())
        condition: Attribute = kinds[0] if len(kinds) == 2 else i1
        made = cls if is_vector(condition) else cls.scalar
        return made.create(
            operands=parser.resolve_operands(operands, [condition, kinds[-1], kinds[-1]], start),
            result_types=[kinds[-1]],
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_operand)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)
        printer.print_string(", ")
        printer.print_attribute(self.results[0].type)


_FORMS: dict[type[Operation], type[_OnLanes]] = {
    arith.SelectOp: _Select,
    **dict.fromkeys((arith.CmpiOp, arith.CmpfOp), _Compare),
    **dict.fromkeys((arith.IndexCastOp, arith.ExtSIOp, arith.ExtUIOp, arith.TruncIOp), _Cast),
    **dict.fromkeys((arith.FPToSIOp, arith.FPToUIOp, arith.SIToFPOp, arith.UIToFPOp), _Cast),
}


def _declare(scalar: type[Operation], form: type[_OnLanes]) -> type[Operation]:
    members = {"scalar": scalar, "__module__": __name__, "__doc__": f"`{scalar.name}` on vectors."}
    return type(f"Lane{scalar.__name__}", (form, scalar), members)


LANES = {scalar: _declare(scalar, form) for scalar, form in _FORMS.items()}
"""xDSL's class for scalars to ours for vectors."""


def on_lanes(op: type[Operation], kind: Attribute) -> type[Operation]:
    """The class to build an arith op with whose first operand has this type."""
    return LANES.get(op, op) if is_vector(kind) else op


ARITH = Dialect(
    "arith", [LANES.get(op, op) for op in FOR_SCALARS.operations], list(FOR_SCALARS.attributes)
)
