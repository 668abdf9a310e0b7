"""Which functions have a meaning in kernels: their rows, found by the Python object called."""

from __future__ import annotations

import builtins
import math
import sys
from collections.abc import Collection
from functools import cache
from typing import Any

from . import extension, intrinsics, matrix, nvidia, vendor
from .builtin_functions import BUILTINS
from .functions import Function
from .intrinsic_functions import INTRINSICS
from .machines import QUESTIONS
from .math_functions import MATH
from .refusals import CALLS


@cache
def _tables() -> dict[int, tuple[object, Function]]:
    """By identity: not everything that can be called can be hashed."""
    found: dict[int, tuple[object, Function]] = {}
    tables: tuple[tuple[object, dict[str, Function]], ...] = (
        *((builtins, BUILTINS), (intrinsics, INTRINSICS), (math, MATH)),
        (vendor.Target, QUESTIONS),
    )
    for holder, table in tables:
        for name, function in table.items():
            target = getattr(holder, name, None)
            if target is not None:  # a function of a newer Python
                found[id(target)] = (target, function)
    return found


def _vendor_function(target: Any) -> Function | None:
    """Rows that few kernels need."""
    from .nvidia_functions import NVIDIA, VENDOR

    table = VENDOR if target is vendor.inline_ptx else NVIDIA
    return table.get(target.__name__)


def _module_of(target: Any) -> str:
    name = getattr(target, "__module__", None)
    return name if isinstance(name, str) else ""


def find_function(target: Any) -> Function | None:
    """The row for a Python object, if it has one."""
    row = _tables().get(id(target))
    if row is not None:
        return row[1]
    if _module_of(target) == matrix.__name__:
        from .matrix_functions import MATRIX

        return MATRIX.get(target.__name__)
    if target is vendor.inline_ptx or _module_of(target).startswith(f"{nvidia.__name__}."):
        return _vendor_function(target)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        from .numpy_functions import NUMPY

        name = str(getattr(target, "__name__", None))
        row = NUMPY.get(name)
        if row and (isinstance(target, numpy.ufunc) or getattr(numpy, name, None) is target):
            return row
    found = extension.find_intrinsic(target)
    if found is not None:
        return found
    from dataclasses import replace

    from .structs import REPLACE, REPLACE_METHOD

    if target is replace or target is REPLACE_METHOD:
        return REPLACE
    return None


def call_hint(module: str | None, name: str) -> str | None:
    """What to write instead of a call of something that kernels cannot call."""
    if name in CALLS:
        return CALLS[name]
    if module == "math":
        return _known(name, [row for row in MATH if row != "gcd"])
    if module is not None and module.partition(".")[0] == "numpy":
        from .numpy_functions import NUMPY

        return _known(name, NUMPY)
    return None


def _known(name: str, table: Collection[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, table, n=3, cutoff=0.75)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"kernels can call {', '.join(sorted(table))} (`stepwell docs language`)"
