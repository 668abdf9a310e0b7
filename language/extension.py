"""Functions of other packages that kernels can call, each one op of the package's own dialect.

    @intrinsic("geo.dialect:SquareSumOp")
    def square_sum(a, b):
        '''a*a + b*b; in a kernel `geo.square_sum`.'''
        return a * a + b * b

    @intrinsic("bits.dialect:PopulationOp", "(u32) -> i32", "(u64) -> i32")
    def population(a):
        '''How many bits are set.'''
        return int(a).bit_count()

The body is what the function means in Python; in a kernel constants have its result, and what is
known when the kernel runs becomes the op. How the dialect is lowered is `registry.register_dialect`
or an entry point of the group `stepwell.lowered_by`. Imports neither xDSL nor the op's module.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from importlib.util import find_spec
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from ..dialects.diagnostics import CompileError
from .types import DTYPES, DType

if TYPE_CHECKING:
    from .functions import Function

Made = TypeVar("Made", bound=Callable[..., Any])
Of = Literal["float", "number"]
_SIGNATURE = re.compile(r"\(([^()]*)\)\s*->\s*(?:\(([^()]*)\)|(\w+))")


class Signature(NamedTuple):
    """Types that an intrinsic takes and gives, and the op "module:Class" that does it for them."""

    op: str
    parameters: tuple[DType, ...]
    results: tuple[DType, ...]


class Intrinsic(NamedTuple):
    """What the decorator was told: signatures, or one op `of` one type."""

    function: Callable[..., Any]
    op: str
    of: Of
    signatures: tuple[Signature, ...]


# By identity, as in `functions.py`.
_intrinsics: dict[int, Intrinsic] = {}


def intrinsic(op: str, *signatures: str, of: Of = "float") -> Callable[[Made], Made]:
    """Make a Python function one that kernels call, compiled to the op "module:Class".

    A signature says the types of the op's operands, one for each parameter, and of its results:
    "(u64, u64) -> u64", "(u32) -> (u32, i32)" for a tuple, "(u32) -> ()" for nothing. A call has
    the signature of its arguments' types, or the first whose types hold all values of theirs.
    Where the op depends on the type, as where integers have a sign, the decorator stands there
    several times. Constants are given to the function as NumPy scalars of the signature's types,
    unless the op may have effects on memory: it then stands there for constants, too.

    Without signatures the op has one operand for each parameter and one result, all of one type, in
    which the arguments meet. `of="float"`: that is f32 or f64 (integers count as f32, f16 and bf16
    are computed in f32 and rounded), as for `math.sqrt`; `of="number"`: any number's type.

    Code in the disk cache is that of the package's files as they are now.
    """
    if op.count(":") != 1:
        raise CompileError(f"the op of an intrinsic is {op!r}", hint='expected "module:Class"')
    rows = tuple(_signature(op, text) for text in signatures)

    def make(function: Made) -> Made:
        python: object = function
        if not isinstance(python, FunctionType):
            raise CompileError(f"an intrinsic is a function in Python, got {function!r}")
        known = _intrinsics.get(id(function))
        _check(python, rows, known)
        every = Intrinsic(function, op, of, rows + (known.signatures if known else ()))
        # A fingerprint of the function holds it (`fingerprint.py`).
        modules = {row.op.partition(":")[0] for row in every.signatures} | {op.partition(":")[0]}
        vars(function)["__stepwell_files__"] = _files_beside(python, sorted(modules))
        _intrinsics[id(function)] = every
        return function

    return make


def _signature(op: str, text: str) -> Signature:
    match = _SIGNATURE.fullmatch(text.strip())
    if match is None:
        raise CompileError(
            f"the signature of an intrinsic is {text!r}",
            hint='expected types as in "(u32, u32) -> u64" or "(u32) -> (u32, i32)"',
        )
    results = match[2] if match[3] is None else match[3]
    return Signature(op, _types(match[1], text), _types(results, text))


def _types(names: str, text: str) -> tuple[DType, ...]:
    found = [name.strip() for name in names.split(",")] if names.strip() else []
    for name in found:
        if name not in DTYPES:
            raise CompileError(
                f"there is no type {name!r} in the signature {text!r}",
                hint=f"known are: {', '.join(DTYPES)}",
            )
    return tuple(DTYPES[name] for name in found)


def _check(function: FunctionType, rows: tuple[Signature, ...], known: Intrinsic | None) -> None:
    name, parameters = function.__name__, inspect.signature(function).parameters
    for parameter in parameters.values():
        if parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
            raise CompileError(f"intrinsic {name} has the parameter {parameter}")
    if known is not None and not (known.signatures and rows):
        raise CompileError(
            f"intrinsic {name} has two ops", hint="say by signatures which types each is for"
        )
    if not rows and not parameters:
        raise CompileError(
            f"intrinsic {name} has no parameters", hint='say what it gives, as in "() -> u32"'
        )
    for row in rows:
        if len(row.parameters) != len(parameters):
            raise CompileError(
                f"intrinsic {name} has {len(parameters)} parameters ({', '.join(parameters)}), "
                f"a signature of it {len(row.parameters)}"
            )


def _files_beside(function: FunctionType, modules: Iterable[str]) -> str:
    """The Python files beside a function and modules, with their sizes and times."""
    places = [function.__code__.co_filename, *map(_file_of, modules)]
    folders = {os.path.dirname(os.path.abspath(place)) for place in places if place}
    paths = [
        entry
        for folder in sorted(folders)
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name)
        if entry.name.endswith(".py")
    ]
    found = [(entry.path, entry.stat()) for entry in paths]
    return ";".join(f"{path}:{stat.st_size}:{stat.st_mtime_ns}" for path, stat in found)


def _file_of(module: str) -> str | None:
    known: str | None = getattr(sys.modules.get(module), "__file__", None)
    if known:  # a script has no spec
        return known
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # of a package that is not there: a call of it says so
        return None
    return spec.origin if spec is not None else None


def find_intrinsic(target: object) -> Function | None:
    """The row for a function that `intrinsic` was put on."""
    found = _intrinsics.get(id(target))
    if found is None:
        return None
    from .extension_calls import call_of_signatures, call_of_type, computed
    from .functions import Function

    name = found.function.__name__
    names = tuple(inspect.signature(found.function).parameters)
    if found.signatures:
        return Function(name, partial(call_of_signatures, found), names)
    folds = partial(computed, found)
    return Function(name, partial(call_of_type, found), names, folds=folds)
