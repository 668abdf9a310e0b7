"""What a compiled kernel depends on, in a form that a cache can check without compiling.

A dependency is how to find something from the kernel's function and a fingerprint of what was
found. Steps are ("global", name), ("closure", name), ("attr", name) and ("module", name), the last
one starting anew from an imported module. Imports neither xDSL nor NumPy.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Sequence
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple, cast

Steps = tuple[tuple[str, str], ...]


class Dependency(NamedTuple):
    """Something outside the function that its compilation used."""

    steps: Steps
    fingerprint: str


UNFINDABLE: Steps = (("nowhere", ""),)
"""Steps of a dependency that cannot be found again: what has it is compiled in every process."""


def fingerprint_function(function: Callable[..., Any]) -> bytes:
    """16 bytes that change with the code of a function, its defaults, and where it stands."""
    state = hashlib.blake2b(digest_size=16)
    target = function.__func__ if isinstance(function, MethodType) else function
    assert isinstance(target, FunctionType), "a function written in Python"
    _feed_code(state, target.__code__)
    state.update(vars(target).get("__stepwell_files__", "").encode())  # see `extension.py`
    defaults = (target.__defaults__, sorted((target.__kwdefaults__ or {}).items()))
    state.update(repr(_stable(defaults)).encode())
    annotations = {k: _stable(v) for k, v in target.__annotations__.items()}
    state.update(repr(sorted(annotations.items())).encode())
    return state.digest()


def _feed_code(state: hashlib.blake2b, code: CodeType) -> None:
    parts = (
        code.co_filename,
        code.co_firstlineno,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_flags,
    )
    state.update(repr(parts).encode())
    state.update(code.co_code)
    state.update(code.co_linetable)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _feed_code(state, constant)
        else:
            state.update(repr(_stable(constant)).encode())


def fingerprint(value: object) -> str:
    """A text that changes when a constant, function or class does."""
    if _is_of_python(value):
        return fingerprint_function(cast(Callable[..., Any], value)).hex()
    return hashlib.blake2b(repr(_stable(value)).encode(), digest_size=16).hexdigest()


def _stable(value: object) -> object:
    """What `repr` gives the same text for in every process."""
    if isinstance(value, (list, tuple, set, frozenset)):
        parts = [_stable(item) for item in cast(Iterable[object], value)]
        if isinstance(value, (set, frozenset)):  # whose order differs from process to process
            parts.sort(key=repr)
        return (_name_of_type(cast(object, value)), *parts)
    if isinstance(value, dict):
        return [(k, _stable(v)) for k, v in cast(dict[object, object], value).items()]
    if isinstance(value, CodeType):
        return ("code", value.co_code, value.co_names)
    if _is_of_python(value):
        return ("function", fingerprint_function(cast(Callable[..., Any], value)).hex())
    if isinstance(value, type):
        return _stable_class(value)
    if isinstance(value, (ModuleType, BuiltinFunctionType)):
        return (type(value).__name__, value.__name__)
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return (type(value).__qualname__, repr(value))
    names: dict[str, object] | None = getattr(type(value), "__dataclass_fields__", None)
    if names is not None:
        fields = [(name, _stable(getattr(value, name))) for name in names]
        return (_stable_class(type(value)), fields)
    return _stable_other(value)


def _is_of_python(value: object) -> bool:
    """A function, or a method of one; methods of classes in C are none."""
    return isinstance(value.__func__ if isinstance(value, MethodType) else value, FunctionType)


def _name_of_type(value: object) -> str:
    return type(value).__qualname__


def _stable_class(cls: type) -> object:
    """A class by its name, its fields, and its methods."""
    if cls.__module__ in ("builtins", "numpy", "ml_dtypes"):
        return ("class", cls.__module__, cls.__qualname__)
    members: list[object] = []
    for name, member in sorted(vars(cls).items()):
        member = getattr(member, "__func__", getattr(member, "fget", member))
        if isinstance(member, FunctionType):
            members.append((name, _code_of(member)))
        elif name in ("__annotations__", "_fields") or (
            isinstance(member, (bool, int, float, str)) and not name.startswith("__")
        ):
            members.append((name, repr(member)))
    return ("class", cls.__module__, cls.__qualname__, members)


def _code_of(function: FunctionType) -> object:
    # Generated methods (of dataclasses) have no file; their text follows from the fields.
    code = function.__code__
    return code.co_name if code.co_filename == "<string>" else fingerprint_function(function).hex()


def _stable_other(value: object) -> object:
    cls = type(value)
    if cls.__module__ in ("numpy", "ml_dtypes") and hasattr(value, "tobytes"):
        return (cls.__name__, str(value.dtype), value.shape, value.tobytes())  # pyright: ignore
    if hasattr(value, "__name__"):  # functions of C modules, ufuncs
        return (cls.__qualname__, value.__name__)  # pyright: ignore
    if cls.__module__.startswith("stepwell."):
        return (cls.__qualname__, repr(value))
    return (cls.__module__, cls.__qualname__, "opaque")


def find(function: Callable[..., Any], steps: Steps) -> object:
    """What the steps lead to; LookupError if they do not lead anywhere now."""
    found: Any = function
    for kind, name in steps:
        if kind == "global":
            target = getattr(found, "__func__", found)
            found = target.__globals__[name]
        elif kind == "closure":
            target = getattr(found, "__func__", found)
            cell = target.__closure__[target.__code__.co_freevars.index(name)]
            found = cell.cell_contents
        elif kind == "attr":
            found = getattr(found, name)
        elif kind == "module":
            found = sys.modules[name]
        else:
            raise LookupError(name)
    return found


def fingerprints(function: Callable[..., Any], dependencies: Sequence[Any]) -> str | None:
    """Fingerprints of what the steps of dependencies lead to now, as one text.

    None where one cannot be found again. Steps may be lists, as they are read back from JSON.
    """
    values: list[str] = []
    for steps in dependencies:
        try:
            found = find(function, tuple((kind, name) for kind, name in steps))
        except (LookupError, AttributeError, ValueError, TypeError):
            return None
        values.append(fingerprint(found))
    return ",".join(values)
