"""Upstream's textual form of `gpu.func`, apart from its definition: only files of IR need it.

gpu.func @f(%x: f32) workgroup(%s : memref<…>) private(%p : memref<…>) kernel
    attributes {…} { … }
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, i64
from xdsl.ir import Attribute, SSAValue

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer

    from .gpu_function import FuncOp

_HIDDEN = ("sym_name", "gpu.kernel", "workgroup_attributions")


def parse_func(cls: type[FuncOp], parser: Parser) -> FuncOp:
    """Parse what follows the words `gpu.func`."""
    name = parser.parse_symbol_name().data
    parameters = parser.parse_comma_separated_list(
        parser.Delimiter.PAREN, lambda: _parse_parameter(parser)
    )
    workgroup = _parse_attributions(parser, "workgroup")
    private = _parse_attributions(parser, "private")
    kernel = parser.parse_optional_keyword("kernel") is not None
    attributes = parser.parse_optional_attr_dict_with_keyword(_HIDDEN)
    arguments = [argument for argument, _ in parameters]
    body = parser.parse_region([*arguments, *workgroup, *private])
    op = cls(name, [argument.type for argument in arguments], kernel=kernel, body=body)
    if attributes is not None:
        op.attributes |= attributes.data
    if workgroup:
        op.attributes["workgroup_attributions"] = IntegerAttr(len(workgroup), i64)
    if any(attrs for _, attrs in parameters):
        op.properties["arg_attrs"] = ArrayAttr(DictionaryAttr(attrs) for _, attrs in parameters)
    return op


def _parse_parameter(parser: Parser) -> tuple[Parser.Argument, dict[str, Attribute]]:
    argument = parser.parse_argument()
    attributes = parser.parse_optional_dictionary_attr_dict()
    argument.location = parser.parse_optional_location()
    return argument, attributes


def _parse_attributions(parser: Parser, keyword: str) -> list[Parser.Argument]:
    if parser.parse_optional_keyword(keyword) is None:
        return []
    return parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_argument)


def print_func(op: FuncOp, printer: Printer) -> None:
    """Print what follows the words `gpu.func`."""
    printer.print_string(" ")
    printer.print_symbol_name(op.sym_name.data)
    printer.print_string("(")
    attrs = op.arg_attrs.data if op.arg_attrs else (None,) * len(op.parameters)
    for i, (value, extra) in enumerate(zip(op.parameters, attrs, strict=True)):
        printer.print_string(", " if i else "")
        _print_argument(printer, value, ": ")
        if extra is not None and extra.data:
            printer.print_op_attributes(extra.data)
    printer.print_string(")")
    _print_attributions(printer, "workgroup", op.workgroup)
    _print_attributions(printer, "private", op.private)
    if op.is_kernel:
        printer.print_string(" kernel")
    printer.print_op_attributes(op.attributes, reserved_attr_names=_HIDDEN, print_keyword=True)
    printer.print_string(" ")
    printer.print_region(op.body, print_entry_block_args=False)


def _print_argument(printer: Printer, value: SSAValue, colon: str) -> None:
    printer.print_ssa_value(value)
    printer.print_string(colon)
    printer.print_attribute(value.type)


def _print_attributions(printer: Printer, keyword: str, values: tuple[SSAValue, ...]) -> None:
    if not values:
        return
    printer.print_string(f" {keyword}(")
    for i, value in enumerate(values):
        printer.print_string(", " if i else "")
        _print_argument(printer, value, " : ")
    printer.print_string(")")
