"""IR text to modules and back: `parse_module`, `print_module`, `split_input`, `make_context`.

Every op gets the place in the file where it stands, unless the text itself says `loc(...)`; what
xDSL's parser refuses is a CompileError with that place, in words of `syntax_errors.py`.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache, partial
from io import StringIO
from typing import TYPE_CHECKING

from xdsl.context import Context
from xdsl.dialects import get_all_dialects
from xdsl.dialects.builtin import UNKNOWN_LOC, FileLineColLoc, IntAttr, ModuleOp, StringAttr
from xdsl.ir import AttributeInvT, SSAValue
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.utils.exceptions import ParseError, VerifyException
from xdsl.utils.lexer import Span

from ..dialects.diagnostics import CompileError, Location
from ..registry import DIALECT_TABLE, plugins
from .syntax_errors import SyntaxRefused, in_our_words, refused_name

if TYPE_CHECKING:
    from xdsl.ir import Block, Operation

SPLIT_MARK = "// -----"


def make_context(allow_unregistered: bool = False) -> Context:
    """A context that knows all dialects and loads each when it first occurs.

    `gpu`, `llvm` and whatever else we define replace xDSL's dialects of the same name.
    """
    ctx = _all_dialects(tuple(plugins(DIALECT_TABLE.group))).clone()
    ctx.allow_unregistered = allow_unregistered
    for name in DIALECT_TABLE.registered:
        ctx.register_dialect(name, partial(DIALECT_TABLE.find, name))
    return ctx


@cache
def _all_dialects(added: tuple[str, ...]) -> Context:
    ctx = Context()
    names = {*DIALECT_TABLE.rows, *added}
    for name, factory in get_all_dialects().items():
        if name not in names:
            ctx.register_dialect(name, factory)
    for name in names:
        ctx.register_dialect(name, partial(DIALECT_TABLE.find, name))
    ctx.load_registered_dialect("builtin")
    return ctx


class _LocatingParser(Parser):
    """Stamps each op (and block argument) with the line and column where its text begins."""

    def __init__(self, ctx: Context, text: str, filename: str, first_line: int):
        super().__init__(ctx, text, filename)
        self._filename = StringAttr(filename)
        self._line_starts = [0]
        self._first_line = first_line
        self._first_uses: dict[str, Span] = {}
        self._op_start = 0
        self._op_name = ""
        self.lexer_text = text
        for line in text.splitlines(keepends=True):
            self._line_starts.append(self._line_starts[-1] + len(line))

    def place(self, position: int) -> tuple[int, int]:
        """Line and column, both from 1, of a position in the text."""
        line = bisect_right(self._line_starts, position) - 1
        line = min(line, max(0, len(self._line_starts) - 2))
        return self._first_line + line, position - self._line_starts[line] + 1

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        try:
            return super().parse_module(allow_implicit_module)
        except ParseError:
            for name in self.forward_ssa_references:  # said by xDSL without the place
                span = self._first_uses[name]
                raise ParseError(span, f"value %{name} is used but not defined") from None
            raise

    def resolve_operand(
        self, operand: UnresolvedOperand, type: AttributeInvT
    ) -> SSAValue[AttributeInvT]:
        name = operand.operand_name
        if name not in self.ssa_values:
            self._first_uses.setdefault(name, operand.span)
        return super().resolve_operand(operand, type)

    def _get_op_by_name(self, name: str) -> type[Operation]:
        found = self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack)
        start = self.lexer_text.find(name, self._op_start)
        is_generic = self.lexer_text[start - 1 : start] == '"'
        refused = refused_name(name, found, self.ctx, is_generic=is_generic)
        if refused is not None or found is None:
            raise SyntaxRefused(start, start + len(name), *(refused or (name, None)))
        self._op_name = found.name
        return found

    def parse_operation(self) -> Operation:
        start = self._op_start = self._current_token.span.start
        line, column = self.place(start)
        try:
            op = super().parse_operation()
        except (VerifyException, ValueError) as error:  # raised by constructors, for what they got
            reason = _lower_first(_bare(error)).replace("unexpected attribute", "unexpected type")
            raise SyntaxRefused(start, start + 1, f"{self._op_name}: {reason}") from error
        if op.location == UNKNOWN_LOC:
            location = FileLineColLoc(self._filename, IntAttr(line), IntAttr(column))
            op.location = location
            for region in op.regions:
                for block in region.blocks:
                    _locate(block, location)
        return op


def _locate(block: Block, location: FileLineColLoc) -> None:
    """What stands in no text of its own is where the op around it is."""
    last = block.last_op
    if last is not None and last.location == UNKNOWN_LOC:  # an implicit terminator
        last.location = location
    for argument in block.args:
        if argument.location == UNKNOWN_LOC:
            argument.location = location


def parse_module(
    text: str, filename: str = "<text>", ctx: Context | None = None, *, first_line: int = 1
) -> ModuleOp:
    """Parses IR text; ops outside any module are put into one. The module is not verified.

    `first_line` is the number of the text's first line in its file. Raises CompileError.
    """
    parser: _LocatingParser | None = None
    try:
        parser = _LocatingParser(ctx or make_context(), text, filename, first_line)
        if not text.strip() or _only_comments(text):
            return ModuleOp([])
        module = parser.parse_module()
        if module.location == UNKNOWN_LOC:
            module.location = FileLineColLoc(StringAttr(filename), IntAttr(first_line), IntAttr(1))
        return module
    except (ParseError, SyntaxRefused) as error:
        refused = error if isinstance(error, SyntaxRefused) else in_our_words(error, text)
        line, column = _error_place(text, refused.start)
        end = column + max(1, refused.end - refused.start)
        location = Location(filename, first_line + line - 1, column, end)
        message = _lower_first(refused.message)
        raise CompileError(message, location, hint=refused.hint) from error
    except (VerifyException, ValueError) as error:  # raised by constructors while parsing
        place = parser.place(parser.pos) if parser is not None else (first_line, 1)
        raise CompileError(_lower_first(_bare(error)), Location(filename, *place)) from error


def _only_comments(text: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("//") for line in text.splitlines())


def _error_place(text: str, position: int) -> tuple[int, int]:
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def _bare(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip() if str(error).strip() else repr(error)


def _lower_first(message: str) -> str:
    message = message.strip()
    is_word = len(message) > 1 and message[0].isupper() and not message[1].isupper()
    return message[0].lower() + message[1:] if is_word else message


def print_module(module: Operation, *, locations: bool = False, generic: bool = False) -> str:
    """The text of a module (or any op), ending in a newline."""
    stream = StringIO()
    printer = Printer(stream, print_generic_format=generic, print_debuginfo=locations)
    printer.print_op(module)
    stream.write("\n")
    return stream.getvalue()


def split_input(text: str) -> list[tuple[int, str]]:
    """The pieces of a text between `// -----` lines, each with the number of its first line."""
    pieces: list[tuple[int, list[str]]] = [(1, [])]
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if line.startswith(SPLIT_MARK):
            pieces.append((number + 1, []))
        else:
            pieces[-1][1].append(line)
    return [(number, "".join(lines)) for number, lines in pieces]
