"""Parameter types from a command line: `saxpy(f32, Array[f32, 1], Array[f32, 1])`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..dialects.diagnostics import CompileError

if TYPE_CHECKING:
    from ..kernel import Kernel


def parse_signature(text: str, names: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """The kernel's name and the types; `names` are those of the file, besides stepwell's."""
    from .. import __dict__ as package

    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise _wrong(text, error.msg) from error
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name) or tree.keywords:
        raise _wrong(text, "it is no call")
    scope = {**package, **names}
    types: list[Any] = []
    for argument in tree.args:
        source = ast.unparse(argument)
        try:
            # The file's own code has just been run: evaluating a name of it adds no new power.
            types.append(eval(source, scope))
        except Exception as error:
            raise _wrong(text, f"{source}: {error}") from error
    return tree.func.id, tuple(_as_type(value) for value in types)


def _as_type(value: Any) -> Any:
    """The type that a name stands for; a value (of a Const parameter) stays what it is."""
    from ..language.annotations import value_type
    from ..language.types import ArrayType, ConstType

    if isinstance(value, (ArrayType, ConstType)):
        return value
    return value_type(value) or value


def _wrong(text: str, reason: str) -> CompileError:
    return CompileError(
        f"signature {text!r} cannot be understood: {reason}",
        hint="expected NAME(TYPE, …) such as 'saxpy(f32, Array[f32, 1], Array[f32, 1])'",
    )


def annotated_types(kernel: Kernel) -> tuple[Any, ...]:
    """The types that the parameters are annotated with; CompileError if one has none."""
    from ..language.annotations import Const
    from ..specialise import Specialiser

    found = Specialiser(kernel.function).annotations
    open_ones = [
        name
        for name, type_ in zip(kernel.parameter_names, found, strict=True)
        if type_ is None or type_ is Const
    ]
    if open_ones:
        example = ", ".join("…" for _ in found)
        raise CompileError(
            f"the types of kernel {kernel.__name__} are open: {', '.join(open_ones)}",
            hint=f"annotate them, or give --signature '{kernel.__name__}({example})'",
        )
    return found


def unknown_name(what: str, name: str, known: Iterable[str]) -> CompileError:
    """An error that names the nearest known names."""
    from ..registry import near_matches

    return CompileError(f"{what} {name!r}", hint=near_matches(name, sorted(known)))
