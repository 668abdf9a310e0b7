"""Classes that are defined faster: what they may never use is made when it is first used.

    with lazy_definitions():
        from xdsl.dialects import arith

Most of the time that importing xDSL takes goes to what no kernel uses: `dataclasses` writes six
methods of a frozen class as source code and compiles each (1 000 of them, of which a kernel uses
200), xDSL makes constraints and accessors of each op and attribute (`lazy_ops`), and parses the
syntax of the ops. Inside the `with` all of it is put off to the first use, which leaves something
in the class that makes the real thing once. What is made is what would have been made; classes
differ in nothing else but that a dataclass without a docstring gets no signature for one, so it
does not matter which other code is imported meanwhile.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import cache, cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from xdsl.irdl import IRDLOperation, OpDef
    from xdsl.irdl.declarative_assembly_format import FormatProgram
    from xdsl.parser import Parser
    from xdsl.printer import Printer

# Where a function is, its name, itself, and what stands for it inside.
Functions: TypeAlias = tuple[tuple[object, str, Any, Any], ...]

_CREATE = "_create_fn"
# Python 3.13 compiles the methods of a class together; there its own function stays.
_create: Callable[..., Any] | None = getattr(dataclasses, _CREATE, None)
# Importing xDSL may run the user's code, where his file is called like one of Python's.
_lock = RLock()
_inside = 0


@contextmanager
def lazy_definitions() -> Generator[None]:
    """Classes defined inside, by any thread, get what is generated for them at its first use."""
    _enter(+1)
    try:
        yield
    finally:
        _enter(-1)


def _enter(step: int) -> None:
    """Count those who are inside; the first one changes the functions, the last one restores."""
    global _inside
    with _lock:
        _inside += step
        known: list[Functions] = []
        try:
            for part in (_methods, _definitions, _formats):  # of importing one, those before it
                known.append(part())
                _replace(known[-1])
        except BaseException:
            _inside -= step
            for functions in known:
                _replace(functions)
            raise


def _replace(functions: Functions) -> None:
    for owner, name, original, lazy in functions:
        setattr(owner, name, lazy if _inside > 0 else original)


def _methods() -> Functions:
    if _create is None:
        return ()
    return (
        (dataclasses, _CREATE, _create, LazyMethod),
        (dataclasses, "inspect", inspect, _NoSignatures),
    )


@cache
def _definitions() -> Functions:
    from .lazy_ops import LAZY

    return LAZY


@cache
def _formats() -> Functions:
    from xdsl.irdl.declarative_assembly_format import FormatProgram

    original = staticmethod(FormatProgram.from_str)
    return ((FormatProgram, "from_str", original, staticmethod(LazyFormat)),)


class _NoSignatures:
    """Stands for `inspect`, which `dataclasses` asks for what to say of a class without a text."""

    @staticmethod
    def signature(of: type) -> str:
        """None, so that the text is the class's name: `__init__` would be made for it."""
        return ""


class LazyMethod:
    """A method of a dataclass that is compiled when it is looked up, and then replaces this."""

    # Thousands are made and most stay: few objects each, for the garbage collector's sake.
    __slots__ = ("__name__", "_arguments", "_body", "_function", "_keywords")

    def __init__(
        self, name: str, arguments: Iterable[str], body: Iterable[str], **keywords: Any
    ) -> None:
        self.__name__ = name
        self._arguments, self._body = tuple(arguments), tuple(body)
        self._keywords = keywords
        self._function: Callable[..., Any] | None = None

    @property
    def function(self) -> Callable[..., Any]:
        """The method."""
        made = self._function
        if made is None:
            assert _create is not None, "only what stands for it makes these"
            made = _create(self.__name__, self._arguments, self._body, **self._keywords)
            self._function = made
        return made

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        function, name = self.function, self.__name__
        for cls in (owner or type(instance)).__mro__:
            if cls.__dict__.get(name) is self:
                function.__qualname__ = f"{cls.__qualname__}.{name}"
                setattr(cls, name, function)
        return function if instance is None else function.__get__(instance, owner)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """For the method in a wrapper, as `dataclasses` puts around `__repr__`."""
        return self.function(*arguments, **keywords)


class LazyFormat:
    """The custom syntax of an op, parsed when an op is first parsed or printed."""

    def __init__(self, text: str, op_def: OpDef):
        self._text, self._op_def = text, op_def

    @cached_property
    def program(self) -> FormatProgram:
        """The syntax."""
        ((_, _, from_str, _),) = _formats()
        return from_str(self._text, self._op_def)

    def parse(self, parser: Parser, op_type: type[IRDLOperation]) -> IRDLOperation:
        """See `FormatProgram.parse`."""
        return self.program.parse(parser, op_type)

    def print(self, printer: Printer, op: IRDLOperation) -> None:
        """See `FormatProgram.print`."""
        self.program.print(printer, op)
