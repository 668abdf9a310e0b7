"""Launches with the very arguments of one before: what was packed for that is packed already.

Packing depends on the arguments alone, and arrays of a device do not move. Arrays are recognised by
themselves, without being kept alive; numbers also by type and value (0 and NaN, of which there are
several, only by themselves). Structs of NumPy can be changed, so they are packed each time.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .array import DeviceArray

if TYPE_CHECKING:
    from .device import Direct, Launcher

_SCALARS: tuple[type, ...] = (bool, int, float, np.generic)
# An array that is gone is None, which is no array.
_ARRAY, _SAME = "{a} is not None and {a} is r{n}()", "{a} is r{n}"
_EQUAL = "({a} is r{n} or {a}.__class__ is k{n} and {a} == r{n})"


def repeated(launcher: Launcher, packed: bytes, arguments: Sequence[Any]) -> Direct | None:
    """What launches these arguments again and leaves others alone; None for arguments that may be
    changed or moved."""
    tests: list[str] = []
    known: dict[str, Any] = {"launch": launcher, "packed": packed, "missing": object()}
    for n, value in enumerate(arguments):
        if isinstance(value, DeviceArray):
            tests.append(_ARRAY)
            known[f"r{n}"] = weakref.ref(value)
        elif isinstance(value, _SCALARS) and not isinstance(value, np.flexible):
            tests.append(_EQUAL if value == value and value != 0 else _SAME)
            known[f"r{n}"], known[f"k{n}"] = value, type(value)
        else:
            return None
    made = eval(_code(tuple(tests)), known)
    return made, _nothing_to_settle


@lru_cache(maxsize=256)
def _code(tests: tuple[str, ...]) -> Any:
    names = "".join(f"a{n}=missing, " for n in range(len(tests)))
    same = " and ".join(test.format(a=f"a{n}", n=n) for n, test in enumerate(tests)) or "True"
    text = f"lambda {names}*more: launch(packed) if not more and {same} else False"
    return compile(text, "<repeated launch>", "eval")


def _nothing_to_settle() -> None:
    """What is reported is told by whoever waits."""
