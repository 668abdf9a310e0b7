"""The language of types in rows of ops, see `base.py`: checks types, infers hidden ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from xdsl.dialects.builtin import IntegerType, i1
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from .kinds import (
    is_bool,
    is_float,
    is_int,
    is_number,
    is_value,
    is_vector,
    length_of,
    scalar_of,
    with_shape_of,
)
from .members import member_type
from .struct_type import StructType
from .types import CooperativeMatrixType, MatrixType, PointerType

CLASSES: dict[str, Callable[[Attribute], bool]] = {
    "int": lambda kind: is_elementwise(kind) and is_int(element_of(kind)),
    "float": lambda kind: is_elementwise(kind) and is_float(element_of(kind)),
    "bool": lambda kind: is_value(kind) and is_bool(scalar_of(kind)),
    "num": lambda kind: is_value(kind) and is_number(kind),
    "value": is_value,
    "int.": lambda kind: not is_vector(kind) and is_int(kind),
    "float.": lambda kind: not is_vector(kind) and is_float(kind),
    "bool.": is_bool,
    "scalar": lambda kind: is_value(kind) and not is_vector(kind),
    "i32": lambda kind: kind == IntegerType(32),
    "ptr": lambda kind: isinstance(kind, PointerType),
    "vector": is_vector,
    "matrix": lambda kind: isinstance(kind, MatrixType),
    "coop": lambda kind: isinstance(kind, CooperativeMatrixType),
    "any": lambda _: True,
}
_SAYS = {
    "int": "an integer or a vector of integers",
    "float": "a float or a vector of floats",
    "bool": "i1 or a vector of i1",
    "num": "a number or a vector of numbers",
    "value": "a scalar or a vector",
    "int.": "an integer",
    "float.": "a float",
    "bool.": "i1",
    "scalar": "a scalar",
    "ptr": "a pointer",
    "vector": "a vector",
    "matrix": "a matrix",
    "coop": "a cooperative matrix",
}
_KNOWN: dict[str, Attribute] = {"bool.": i1, "i32": IntegerType(32)}


def is_elementwise(kind: Attribute) -> bool:
    """Whether arithmetic works on it: a scalar, a vector, or a cooperative matrix."""
    return is_value(kind) or isinstance(kind, CooperativeMatrixType)


def element_of(kind: Attribute) -> Attribute:
    """The scalar of a vector or of a cooperative matrix."""
    return kind.element if isinstance(kind, CooperativeMatrixType) else scalar_of(kind)


def _have_one_shape(first: Attribute, second: Attribute) -> bool:
    if isinstance(first, CooperativeMatrixType) and isinstance(second, CooperativeMatrixType):
        return first.parameters[1:] == second.parameters[1:]
    matrix = isinstance(first, CooperativeMatrixType) or isinstance(second, CooperativeMatrixType)
    same = length_of(first) == length_of(second) and is_vector(first) == is_vector(second)
    return same and not matrix


class Item(NamedTuple):
    """One operand or result: a class ("" for any), the name that it binds, what it derives from.

    `derive` is "=" (the same), "~" (as long), "*" (pointee), "." (element), "{" (struct of two).
    """

    of: str
    binds: str = ""
    derive: str = ""
    source: str = ""
    optional: bool = False


class Signature(NamedTuple):
    """The items of the operands, then of the result if there is one."""

    operands: tuple[Item, ...]
    result: Item | None

    @property
    def required(self) -> int:
        """The least number of operands."""
        return sum(not item.optional for item in self.operands)

    def check(self, operands: Sequence[Attribute], results: Sequence[Attribute]) -> str | None:
        """A reason against these types, or None."""
        if not self.required <= len(operands) <= len(self.operands):
            return f"expected {len(self.operands)} operands, got {len(operands)}"
        expected = 0 if self.result is None else 1
        if len(results) != expected:
            return f"expected {expected} results, got {len(results)}"
        rows = list(zip(self.operands, operands, strict=False))
        if self.result is not None:
            rows.append((self.result, results[0]))
        names = _bind(rows)
        for index, (item, kind) in enumerate(rows):
            reason = _check(item, kind, names)
            if reason is not None:
                is_result = index == len(operands)
                return f"{'result' if is_result else f'operand {index}'}: {reason}"
        return None

    def infer(
        self, known: dict[int, Attribute], result: Attribute | None, count: int
    ) -> tuple[list[Attribute], list[Attribute]]:
        """The types of `count` operands, and of the results, from those that are known.

        Raises VerifyException where they do not follow.
        """
        rows = [(self.operands[index], kind) for index, kind in known.items()]
        if self.result is not None and result is not None:
            rows.append((self.result, result))
        names = _bind(rows)
        operands = [
            known[index] if index in known else _derive(self.operands[index], names)
            for index in range(min(count, len(self.operands)))
        ]
        if count > len(self.operands):
            raise VerifyException(f"expected {len(self.operands)} operands, got {count}")
        if self.result is None:
            return operands, []
        return operands, [result if result is not None else _derive(self.result, names)]

    def infer_results(self, operands: Sequence[Attribute]) -> list[Attribute]:
        """The types of the results. Raises VerifyException where they do not follow."""
        return self.infer(dict(enumerate(operands)), None, len(operands))[1]


@cache
def signature(text: str) -> Signature:
    """The signature that a row's `types` says."""
    left, _, right = text.partition("->")
    result = _item(right.strip()) if right.strip() else None
    return Signature(tuple(_item(word) for word in left.split()), result)


def _item(word: str) -> Item:
    optional = word.endswith("?")
    word = word.rstrip("?")
    if word[0] == "{":
        return Item("", derive="{", source=word[1], optional=optional)
    if word[0].isupper():
        return Item("", derive=word[1:] or "=", source=word[0], optional=optional)
    of, tilde, source = word.partition("~")
    if tilde:
        return Item(of, derive="~", source=source, optional=optional)
    of, _, binds = word.partition(":")
    return Item(of, binds, optional=optional)


def _bind(rows: Sequence[tuple[Item, Attribute]]) -> dict[str, Attribute]:
    """What the names stand for: first what binds one, then what is the same as one."""
    names: dict[str, Attribute] = {}
    for item, kind in rows:
        if item.binds:
            names.setdefault(item.binds, kind)
    for item, kind in rows:
        if item.derive == "=":
            names.setdefault(item.source, kind)
        elif item.derive == "{" and isinstance(kind, StructType) and kind.types:
            names.setdefault(item.source, kind.types[0])
    return names


def _check(item: Item, kind: Attribute, names: dict[str, Attribute]) -> str | None:
    if item.of and not CLASSES[item.of](kind):
        return f"expected {_SAYS.get(item.of, item.of)}, got {kind}"
    if item.derive == "~":
        if not _have_one_shape(kind, names[item.source]):
            return f"expected as many elements as {names[item.source]} has, got {kind}"
    elif item.derive:
        expected = _derive(item, names)
        if kind != expected:
            return f"expected {expected}, got {kind}"
    return None


def _derive(item: Item, names: dict[str, Attribute]) -> Attribute:
    """The type that follows from names. Raises VerifyException where none does."""
    source = names.get(item.binds or item.source)
    if item.of in _KNOWN:
        return _KNOWN[item.of]
    if source is None:
        raise VerifyException("the types of operands and result do not follow from each other")
    if item.binds or item.derive == "=":
        return source
    if item.derive == "~" and item.of == "bool":
        return with_shape_of(source, i1)
    if item.derive == "*" and isinstance(source, PointerType):
        return source.pointee
    if item.derive == "{":
        return StructType([source, source])
    if item.derive == ".":
        return scalar_of(source) if is_vector(source) else member_type(source, None)
    raise VerifyException(f"a type does not follow from {source}")
