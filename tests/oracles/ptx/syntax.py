"""What the parser makes of a PTX text: functions, instructions, variables and scopes of names."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Register:
    """A virtual register; `slot` counts within its function."""

    name: str
    type: str
    slot: int


@dataclass(frozen=True)
class Special:
    """A read-only register of the hardware, such as %tid.x."""

    name: str


@dataclass(frozen=True)
class Immediate:
    """A number; `bits` is the width of a literal given as bits (0f… 32, 0d… 64), else 0."""

    value: int | float
    bits: int = 0


@dataclass(frozen=True)
class Symbol:
    """The name of a variable, function or label, perhaps plus an offset in bytes."""

    name: str
    scope: Scope
    offset: int = 0


@dataclass(frozen=True)
class Vector:
    """{a, b, …}"""

    items: tuple[Operand, ...]


@dataclass(frozen=True)
class Address:
    """[base+offset], or [base+offset, {at, …}] with the coordinates of a box."""

    base: Register | Symbol | Immediate
    offset: int
    at: tuple[Operand, ...] = ()


@dataclass(frozen=True)
class Pair:
    """d|p: a destination and a second one."""

    first: Operand
    second: Operand


@dataclass(frozen=True)
class Not:
    """!p"""

    register: Register


@dataclass(frozen=True)
class Sink:
    """_: a result that nobody wants, or an argument that is not there."""


@dataclass(frozen=True)
class Group:
    """(a, b, …): arguments or results of a call."""

    items: tuple[Operand, ...]


Operand = Register | Special | Immediate | Symbol | Vector | Address | Pair | Not | Sink | Group


def bytes_of(kind: str) -> int:
    """The size of an element of a type, of which f16x2 has two."""
    return int(kind[1:].removesuffix("x2")) // 8 * (2 if kind.endswith("x2") else 1)


@dataclass(eq=False)
class Variable:
    """A variable of a state space. `count` is None for `extern .shared x[]`."""

    name: str
    space: str
    type: str
    align: int
    count: int | None
    initial: list[Operand] = field(default_factory=list[Operand])
    # Where it stands, once loaded; local variables have a place in each frame instead.
    address: int | None = None

    @property
    def width(self) -> int:
        """Bytes of one element."""
        return bytes_of(self.type)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.width * (self.count or 0)


@dataclass(eq=False)
class BranchTargets:
    """`name: .branchtargets a, b;`"""

    names: list[str]


@dataclass(eq=False)
class Prototype:
    """`name: .callprototype …;`"""


@dataclass(eq=False)
class Label:
    """A position in its function's instructions."""

    index: int


@dataclass(eq=False)
class Function:
    """An .entry or .func; `base` is the program counter of its first instruction."""

    name: str
    is_entry: bool
    scope: Scope
    line: int
    results: list[Variable] = field(default_factory=list[Variable])
    parameters: list[Variable] = field(default_factory=list[Variable])
    registers: list[Register] = field(default_factory=list[Register])
    variables: list[Variable] = field(default_factory=list[Variable])
    instructions: list[Instruction] = field(default_factory=lambda: list[Instruction]())
    defined: bool = False
    base: int = 0
    limits: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    def add(self, instruction: Instruction) -> None:
        """Appends and numbers an instruction."""
        instruction.index = len(self.instructions)
        self.instructions.append(instruction)


Named = Register | Variable | Label | BranchTargets | Prototype | Function


@dataclass(eq=False)
class Scope:
    """Names between two braces; inner ones hide outer ones."""

    parent: Scope | None
    names: dict[str, Named] = field(default_factory=dict[str, Named])

    def find(self, name: str) -> Named | None:
        """What `name` stands for here."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None


@dataclass(eq=False)
class Instruction:
    """`@guard opcode.modifiers operands;`"""

    line: int
    opcode: str
    modifiers: tuple[str, ...]
    operands: list[Operand]
    guard: Register | Not | None
    function: Function
    index: int

    @property
    def text(self) -> str:
        """The full name, with modifiers."""
        return ".".join((self.opcode, *self.modifiers))

    def has(self, *names: str) -> bool:
        """Whether one of these modifiers is there."""
        return any(name in self.modifiers for name in names)

    @property
    def pc(self) -> int:
        """Its program counter in the module."""
        return self.function.base + self.index


@dataclass
class Text:
    """A parsed module."""

    scope: Scope
    functions: list[Function]
    variables: list[Variable]
    target: str = ""
