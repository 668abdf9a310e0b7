"""Reads PTX text.

The grammar needs little: a module is a list of directives, a body is a list of statements that end
in `;`, and scopes in braces. Debug information and performance hints are dropped.
"""

from __future__ import annotations

import re

from .errors import PtxSyntaxError
from .syntax import (
    Address,
    BranchTargets,
    Function,
    Group,
    Immediate,
    Instruction,
    Label,
    Not,
    Operand,
    Pair,
    Prototype,
    Register,
    Scope,
    Sink,
    Special,
    Symbol,
    Text,
    Variable,
    Vector,
    bytes_of,
)
from .tokens import Token, number, tokens

# These end with their line, not with a semicolon.
_LINE_DIRECTIVE = re.compile(r"^[ \t]*\.(?:loc|file|version|address_size)\b[^\n]*", re.MULTILINE)
_TARGET = re.compile(r"^[ \t]*\.target[ \t]+([^\n]*)", re.MULTILINE)
_LINKAGE = {".visible", ".extern", ".weak", ".common", ".entry_point"}
_SPACES = {".global", ".const", ".shared", ".local", ".param"}
_LIMITS = {
    ".maxntid", ".reqntid", ".minnctapersm", ".maxnctapersm", ".maxnreg", ".noreturn",
    ".reqnctapercluster", ".explicitcluster", ".maxclusterrank", ".abi_preserve", ".language",
    ".abi_preserve_control", ".blocksareclusters",
}  # fmt: skip
_SIZE = re.compile(r"\.(?:pred|[busf]\d+(?:x2)?)$")


def parse(text: str) -> Text:
    """A PTX module as functions and variables."""
    target = _TARGET.search(text)
    blank = _TARGET.sub("", _LINE_DIRECTIVE.sub("", text))
    module = Parser(tokens(blank)).module()
    module.target = target.group(1).strip() if target else ""
    return module


class Parser:
    """A recursive descent over the tokens."""

    def __init__(self, items: list[Token]):
        self.items = [*items, ("end", "", items[-1][2] if items else 1)]
        self.at = 0
        self.scope = Scope(None)
        self.text = Text(self.scope, [], [])

    @property
    def next(self) -> str:
        """The token to come."""
        return self.items[self.at][1]

    @property
    def line(self) -> int:
        """Its line."""
        return self.items[self.at][2]

    def take(self, expected: str | None = None) -> str:
        """The next token, which must be `expected` if that is given."""
        kind, text, line = self.items[self.at]
        if kind == "end" or (expected is not None and text != expected):
            raise PtxSyntaxError(f"expected {expected or 'more'}, got {text or 'the end'!r}", line)
        self.at += 1
        return text

    def accept(self, text: str) -> bool:
        """Takes the next token if it is `text`."""
        if self.next != text or self.items[self.at][0] == "end":
            return False
        self.at += 1
        return True

    def integer(self) -> int:
        """An integer literal, perhaps negative."""
        negative = self.accept("-")
        value = number(self.take()).value
        if not isinstance(value, int):
            raise PtxSyntaxError(f"expected an integer, got {value}", self.line)
        return -value if negative else value

    def module(self) -> Text:
        """The whole text."""
        while self.items[self.at][0] != "end":
            self.toplevel()
        return self.text

    def toplevel(self) -> None:
        """One directive of the module."""
        while self.next in _LINKAGE:
            self.take()
        word = self.next
        if word in (".entry", ".func"):
            self.function()
        elif word in _SPACES:
            self.text.variables.extend(self.declaration())
        elif word in (".section", ".pragma", ".alias"):
            self.skip_directive()
        else:
            raise PtxSyntaxError(f"unknown directive {word!r}", self.line)

    def skip_directive(self) -> None:
        """Leaves out a directive up to its `;` or closing brace."""
        if self.next == ".alias":
            raise PtxSyntaxError("no .alias here", self.line)
        while self.next not in ("{", ";"):
            self.take()
        if self.take() == "{":
            while self.take() != "}":
                pass

    def declaration(self, end: str = ";") -> list[Variable]:
        """`.space .align n .type a[n] = {…}, b;`, or one formal parameter up to `end`."""
        space = self.take()[1:]
        align, kind, vector = 0, "", 1
        while self.next.startswith("."):
            word = self.take()
            if word == ".align":
                align = self.integer()
            elif word in (".v2", ".v4"):
                vector = int(word[2:])
            elif _SIZE.match(word):
                kind = word[1:]
            elif word == ".attribute":
                self.skip_parentheses()
        width = bytes_of(kind) if kind else 0
        found: list[Variable] = []
        while True:
            variable = self.declarator(space, kind, align or width * vector, vector)
            found.append(variable)
            self.scope.names[variable.name] = variable
            if end != ";" or not self.accept(","):
                break
        if end == ";":
            self.take(";")
        return found

    def skip_parentheses(self) -> None:
        """Leaves out ( … )."""
        self.take("(")
        while self.take() != ")":
            pass

    def declarator(self, space: str, kind: str, align: int, vector: int) -> Variable:
        """`name[n][m] = …`"""
        name, count = self.take(), vector
        sized = True
        while self.accept("["):
            if self.accept("]"):
                sized = False
                continue
            count *= self.integer()
            self.take("]")
        initial: list[Operand] = []
        if self.accept("="):
            self.initializer(initial)
            if not sized:
                sized, count = True, len(initial)
        return Variable(name, space, kind, align, count if sized else None, initial)

    def initializer(self, into: list[Operand]) -> None:
        """A value or braces of values."""
        if not self.accept("{"):
            into.append(self.initial_value())
            return
        while not self.accept("}"):
            self.initializer(into)
            self.accept(",")

    def initial_value(self) -> Operand:
        """A number, or an address as `name+4` or `generic(name)+4`."""
        if self.next == "generic":
            self.take()
            self.take("(")
            name = self.take()
            self.take(")")
            return Symbol(name, self.scope, self.signed_offset())
        return self.operand()

    def function(self) -> None:
        """An .entry or .func, defined or only declared."""
        line = self.line
        is_entry = self.take() == ".entry"
        outer, self.scope = self.scope, Scope(self.scope)
        results = self.formals("param") if self.next == "(" else []
        name = self.take()
        # A declaration seen before is filled, so that symbols resolved to it stay right.
        known = outer.find(name)
        function = known if isinstance(known, Function) else Function(name, is_entry, outer, line)
        outer.names[name] = function
        formals = self.formals("kernel_param" if is_entry else "param") if self.next == "(" else []
        function.scope, function.results, function.parameters = self.scope, results, formals
        self.limits(function)
        if self.accept("{"):
            if function.defined:
                raise PtxSyntaxError(f"{name} is defined twice", line)
            function.defined = True
            self.text.functions.append(function)
            self.body(function)
        else:
            self.take(";")
        self.scope = outer

    def formals(self, space: str) -> list[Variable]:
        """( .param .b64 a, .reg .b32 b, … )"""
        self.take("(")
        found: list[Variable] = []
        while not self.accept(")"):
            if self.next == ".reg":
                raise PtxSyntaxError("parameters in registers are not supported", self.line)
            found.extend(self.declaration(end=")"))
            self.accept(",")
        for variable in found:
            variable.space = space
        return found

    def limits(self, function: Function) -> None:
        """.maxntid 128, 1, 1 and its like."""
        while self.next in _LIMITS or self.next == ".pragma":
            word = self.take()
            if word == ".pragma":
                while self.take() != ";":
                    pass
                continue
            values: list[int] = []
            while self.items[self.at][0] == "number":
                values.append(self.integer())
                self.accept(",")
            function.limits[word[1:]] = values

    def body(self, function: Function) -> None:
        """Statements up to the closing brace."""
        depth = 1
        while depth:
            if self.accept("{"):
                self.scope = Scope(self.scope)
                depth += 1
            elif self.accept("}"):
                if depth > 1 and self.scope.parent is not None:
                    self.scope = self.scope.parent
                depth -= 1
            else:
                self.statement(function)
        function.add(Instruction(self.line, "ret", (), [], None, function, 0))

    def statement(self, function: Function) -> None:
        """A label, a declaration or an instruction."""
        word = self.next
        if word == ".reg":
            self.registers(function)
        elif word in _SPACES:
            found = self.declaration()
            shared = [v for v in found if v.space in ("shared", "const", "global")]
            self.text.variables.extend(shared)
            function.variables.extend(v for v in found if v not in shared)
        elif word == ".pragma" or word == ".section":
            self.skip_directive()
        elif self.items[self.at + 1][1] == ":":
            self.label(function)
        elif self.accept(";"):
            return
        else:
            self.instruction(function)

    def label(self, function: Function) -> None:
        """`name:`, a table of branch targets or a prototype."""
        name = self.take()
        self.take(":")
        if self.accept(".branchtargets"):
            names = [self.take()]
            while self.accept(","):
                names.append(self.take())
            self.take(";")
            self.scope.names[name] = BranchTargets(names)
        elif self.accept(".callprototype"):
            while self.take() != ";":
                pass
            self.scope.names[name] = Prototype()
        else:
            self.scope.names[name] = Label(len(function.instructions))

    def registers(self, function: Function) -> None:
        """`.reg .b32 %r<10>, %x;`"""
        self.take(".reg")
        kind = self.take()[1:]
        if not _SIZE.match("." + kind):
            raise PtxSyntaxError(f"registers of type .{kind} are not supported", self.line)
        while True:
            name = self.take()
            names = [name]
            if self.accept("<"):
                names = [f"{name}{i}" for i in range(self.integer())]
                self.take(">")
            for each in names:
                register = Register(each, kind, len(function.registers))
                function.registers.append(register)
                self.scope.names[each] = register
            if not self.accept(","):
                break
        self.take(";")

    def instruction(self, function: Function) -> None:
        """`@p opcode operands;`"""
        line, guard = self.line, None
        if self.accept("@"):
            guard = self.operand()
            if not isinstance(guard, Register | Not):
                raise PtxSyntaxError("expected a predicate register after @", line)
        opcode, *modifiers = self.take().split(".")
        operands: list[Operand] = []
        while not self.accept(";"):
            operands.append(self.operand())
            if self.next != ";":
                self.take(",")
        function.add(Instruction(line, opcode, tuple(modifiers), operands, guard, function, 0))

    def operand(self) -> Operand:
        """One operand, perhaps with a second destination after |."""
        first = self.single_operand()
        return Pair(first, self.single_operand()) if self.accept("|") else first

    def single_operand(self) -> Operand:
        """An operand without |."""
        if self.accept("{"):
            return Vector(self.operands("}"))
        if self.accept("("):
            return Group(self.operands(")"))
        if self.accept("["):
            return self.address()
        if self.accept("!"):
            register = self.single_operand()
            if not isinstance(register, Register):
                raise PtxSyntaxError("expected a predicate register after !", self.line)
            return Not(register)
        if self.accept("-"):
            value = number(self.take())
            return Immediate(-value.value, value.bits)
        if self.items[self.at][0] == "number":
            return number(self.take())
        return self.named()

    def operands(self, end: str) -> tuple[Operand, ...]:
        """Operands up to the closing mark."""
        found: list[Operand] = []
        while not self.accept(end):
            found.append(self.operand())
            self.accept(",")
        return tuple(found)

    def named(self) -> Operand:
        """A register, special register or symbol."""
        name = self.take()
        if name == "_":
            return Sink()
        if name == "WARP_SZ":
            return Immediate(32)
        found = self.scope.find(name)
        if isinstance(found, Register):
            return found
        if name.startswith("%") and found is None:
            return Special(name)
        return Symbol(name, self.scope, self.signed_offset())

    def signed_offset(self) -> int:
        """+4, +-4, -4 or nothing."""
        if self.accept("+"):
            return self.integer()
        return self.integer() if self.next == "-" else 0

    def address(self) -> Address:
        """[base+offset], [base, {x, y}]"""
        base = self.single_operand()
        offset = self.signed_offset()
        at: tuple[Operand, ...] = ()
        if self.accept(","):
            self.take("{")
            at = self.operands("}")
        self.take("]")
        if isinstance(base, Symbol):
            return Address(Symbol(base.name, base.scope), offset + base.offset, at)
        if not isinstance(base, Register | Immediate):
            raise PtxSyntaxError("expected a register or a name in [ ]", self.line)
        return Address(base, offset, at)
