"""Functions of other packages that kernels can call, each one op of the package's own dialect.

    @intrinsic("geo.dialect:SquareSumOp")
    def square_sum(a, b):
        '''a*a + b*b; in a kernel `geo.square_sum`.'''
        return a * a + b * b

The body is what the function means in Python; in a kernel constants have its result, and what is
known when the kernel runs becomes the op. How the dialect is lowered is `registry.register_dialect`
or an entry point of the group `stepwell.lowered_by`. Imports neither xDSL nor the op's module.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..dialects.diagnostics import CompileError

if TYPE_CHECKING:
    from xdsl.ir import Operation

    from .frame import Frame
    from .functions import Function
    from .values import Value

Made = TypeVar("Made", bound=Callable[..., Any])
Of = Literal["float", "number"]

# By identity, as in `functions.py`: the function, its op and what that takes.
_intrinsics: dict[int, tuple[Callable[..., Any], str, Of]] = {}


def intrinsic(op: str, *, of: Of = "float") -> Callable[[Made], Made]:
    """Make a Python function one that kernels call, compiled to the op "module:Class".

    The op has one operand for each parameter and one result, all of one type, in which the
    arguments meet. `of="float"`: that is f32 or f64 (integers count as f32, f16 and bf16 are
    computed in f32 and rounded), as for `math.sqrt`; `of="number"`: any number's type.

    Code in the disk cache is that of the package's files as they are now.
    """
    if op.count(":") != 1:
        raise CompileError(f"the op of an intrinsic is {op!r}", hint='expected "module:Class"')

    def make(function: Made) -> Made:
        python: object = function
        if not isinstance(python, FunctionType):
            raise CompileError(f"an intrinsic is a function in Python, got {function!r}")
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
                raise CompileError(f"intrinsic {function.__name__} has the parameter {parameter}")
        # A fingerprint of the function holds it (`fingerprint.py`).
        vars(function)["__stepwell_files__"] = _files_beside(python, op.partition(":")[0])
        _intrinsics[id(function)] = (function, op, of)
        return function

    return make


def _files_beside(function: FunctionType, module: str) -> str:
    """The Python files beside a function and a module, with their sizes and times."""
    known = getattr(sys.modules.get(module), "__file__", None)  # a script has no spec
    spec = None if known else find_spec(module)
    places = (function.__code__.co_filename, known or (spec and spec.origin))
    folders = {os.path.dirname(os.path.abspath(place)) for place in places if place}
    paths = [
        entry
        for folder in sorted(folders)
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name)
        if entry.name.endswith(".py")
    ]
    found = [(entry.path, entry.stat()) for entry in paths]
    return ";".join(f"{path}:{stat.st_size}:{stat.st_mtime_ns}" for path, stat in found)


def find_intrinsic(target: object) -> Function | None:
    """The row for a function that `intrinsic` was put on."""
    from .functions import Function

    row = _intrinsics.get(id(target))
    if row is None:
        return None
    function, op, of = row
    names = tuple(inspect.signature(function).parameters)

    def call(frame: Frame, node: ast.AST, *values: Value) -> Value:
        return _emit(frame, node, _op_class(frame, node, op), of, values)

    return Function(function.__name__, call, names, folds=function)


def _op_class(frame: Frame, node: ast.AST, row: str) -> type[Operation]:
    from importlib import import_module

    module, _, name = row.partition(":")
    try:
        return getattr(import_module(module), name)
    except Exception as error:  # whatever the package's own code raises
        reason = f"{type(error).__name__}: {error}"
        raise frame.refuse(node, f"the op {row!r} cannot be loaded: {reason}") from error


def _emit(
    frame: Frame, node: ast.AST, op: type[Operation], of: Of, values: tuple[Value, ...]
) -> Value:
    from .emitter import REGISTER, Emitter
    from .math_functions import in_math
    from .values import Scalar

    if of == "number":
        scalars = _meet_all(frame, node, values)
        dtype = scalars[0].dtype
        operands = [scalar.ssa for scalar in scalars]
        return Scalar(dtype, frame.emit.add(op, operands, (REGISTER[dtype],)))

    def build(emit: Emitter, *parts: Any) -> Any:
        *operands, dtype = parts
        return emit.add(op, operands, (REGISTER[dtype],))

    return in_math(frame, node, build, *values)


def _meet_all(frame: Frame, node: ast.AST, values: tuple[Value, ...]) -> list[Any]:
    """All values as scalars of the type in which they meet."""
    from .convert import materialise, meet, to_type

    common = materialise(frame, node, values[0])
    for value in values[1:]:
        common, _ = meet(frame, node, common, value, "arguments")
    return [to_type(frame, node, value, common.dtype) for value in values]
