"""Calls of other packages' functions: which of its signatures a call has, and its op."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, cast

from xdsl.ir import Operation, OpResult
from xdsl.traits import NoMemoryEffect

from .constants import lift
from .convert import integer_range, materialise, meet, number_type, settle, to_type
from .emitter import REGISTER, Emitter, nearest
from .math_functions import in_math
from .promotion import WEAK, WEAK_FLOAT, promote
from .types import DTYPES, DType, bool_
from .values import NOWHERE, Scalar, Static, TupleValue, Value

if TYPE_CHECKING:
    from .extension import Intrinsic, Signature
    from .frame import Frame


def call_of_type(row: Intrinsic, frame: Frame, node: ast.AST, *values: Value) -> Value:
    """The op on values of one type, which its result has too."""
    op = _op_class(frame, node, row.op)
    if row.of == "number":
        scalars = _meet_all(frame, node, values)
        dtype = scalars[0].dtype
        operands = [scalar.ssa for scalar in scalars]
        return Scalar(dtype, frame.emit.add(op, operands, (REGISTER[dtype],)))

    def build(emit: Emitter, *parts: Any) -> Any:
        *operands, dtype = parts
        return emit.add(op, operands, (REGISTER[dtype],))

    return in_math(frame, node, build, *values)


def _meet_all(frame: Frame, node: ast.AST, values: tuple[Value, ...]) -> list[Scalar]:
    """All values as scalars of the type in which they meet."""
    common = materialise(frame, node, values[0])
    for value in values[1:]:
        common, _ = meet(frame, node, common, value, "arguments")
    return [to_type(frame, node, value, common.dtype) for value in values]


def call_of_signatures(row: Intrinsic, frame: Frame, node: ast.AST, *values: Value) -> Value:
    """The op of the signature that a call has, or what the function gives for constants."""
    signature = _signature_of(row, frame, node, values)
    op = _op_class(frame, node, signature.op)
    constants = [value.value for value in values if isinstance(value, Static)]
    typed = DTYPES["index"] not in signature.results  # a constant has no such type
    if values and len(constants) == len(values) and typed and op.has_trait(NoMemoryEffect):
        return _fold(row, signature, frame, node, constants)
    pairs = zip(values, signature.parameters, strict=True)
    operands = [to_type(frame, node, value, dtype).ssa for value, dtype in pairs]
    first = frame.emit.add(op, operands, [REGISTER[dtype] for dtype in signature.results])
    owner = None if first is NOWHERE else cast(OpResult, first).op
    results = owner.results if owner is not None else [NOWHERE] * len(signature.results)
    pairs = zip(signature.results, results, strict=True)
    return _as_value([Scalar(dtype, ssa) for dtype, ssa in pairs])


def _as_value(parts: list[Any]) -> Value:
    if not parts:
        return Static(None)
    return parts[0] if len(parts) == 1 else TupleValue(tuple(parts))


def _signature_of(
    row: Intrinsic, frame: Frame, node: ast.AST, values: tuple[Value, ...]
) -> Signature:
    """That of the arguments' types, else the first that holds them; literals take any number's."""
    types = [number_type(frame, node, value) for value in values]
    known = [dtype if dtype not in WEAK else None for dtype in types]
    holding = [one for one in row.signatures if all(map(_holds, one.parameters, types))]
    wanted = known if any(known) else [settle(dtype) for dtype in types]
    for one in holding:
        if all(want in (None, has) for want, has in zip(wanted, one.parameters, strict=True)):
            return one
    if len(holding) == 1 or (holding and any(known)):
        return holding[0]
    name, got = row.function.__name__, ", ".join(map(str, types))
    listed = " or ".join(f"({', '.join(map(str, one.parameters))})" for one in row.signatures)
    first = (holding or row.signatures)[0].parameters
    raise frame.refuse(
        node,
        f"{name} takes {listed}; ({got}) may be several of them"
        if holding
        else f"{name} takes {listed}, got ({got})",
        hint=f"cast the arguments, as in sw.{first[0]}(…)" if first else None,
    )


def _holds(parameter: DType, given: DType) -> bool:
    """Whether a parameter takes all values of a type, without a change of kind."""
    if given in WEAK:
        return parameter.is_float or (given is not WEAK_FLOAT and parameter.is_integer)
    if given.is_float != parameter.is_float or (given is bool_) != (parameter is bool_):
        return False
    return promote(given, parameter) is parameter


def computed(row: Intrinsic, *constants: Any) -> Any:
    """What the function gives in Python; whatever it raises is a ValueError that names it."""
    try:
        return row.function(*constants)
    except Exception as error:  # the package's own code
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ValueError(f"{row.function.__name__} raised {reason}") from error


def _fold(
    row: Intrinsic, signature: Signature, frame: Frame, node: ast.AST, constants: list[Any]
) -> Value:
    pairs = list(zip(constants, signature.parameters, strict=True))
    for constant, dtype in pairs:  # refuses literals that do not fit
        to_type(frame, node, Static(constant), dtype)
    try:
        found = computed(row, *(dtype(constant) for constant, dtype in pairs))
        parts = cast("tuple[Any, ...]", found if isinstance(found, tuple) else (found,))
        if len(parts) != len(signature.results):
            name, count = row.function.__name__, len(signature.results)
            raise ValueError(f"{name} gave {found!r}, its signature says {count} results")
        return _as_value(
            [lift(_typed(*pair)) for pair in zip(parts, signature.results, strict=True)]
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise frame.refuse(node, f"constant expression: {error}") from error


def _typed(number: Any, dtype: DType) -> Any:
    """A number that the function gave, in the type that the signature says."""
    if dtype is bool_:
        return bool(number)
    if dtype.is_float:
        return dtype(nearest(float(number), dtype))
    low, high = integer_range(dtype)
    if not low <= int(number) <= high:
        raise ValueError(f"{number} does not fit {dtype} ({low} to {high})")
    return dtype(int(number))


def _op_class(frame: Frame, node: ast.AST, row: str) -> type[Operation]:
    from importlib import import_module

    module, _, name = row.partition(":")
    try:
        found: object = getattr(import_module(module), name)
    except Exception as error:  # whatever the package's own code raises
        reason = f"{type(error).__name__}: {error}"
        raise frame.refuse(node, f"the op {row!r} cannot be loaded: {reason}") from error
    if isinstance(found, type) and issubclass(found, Operation):
        return found
    raise frame.refuse(node, f"the op {row!r} is {found!r}, expected a class of operations")
