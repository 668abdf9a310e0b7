"""What stepwell's contenders of `cpu.py` have in common."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import stepwell as sw

Array = np.ndarray[Any, Any]
Inputs = dict[str, Any]
Prepared = tuple[Callable[[], None], Array]
# What prepares a task: a function that runs it once, and its output.
Prepare = Callable[[Inputs], Prepared]

kernel = partial(sw.kernel, checks=os.environ.get("CHECKS") != "0")


def zeros(
    given: Inputs, shape: tuple[int, ...], dtype: Any = np.float32, name: str = "out"
) -> Array:
    """Zeros that go with inputs: whoever else is given the same ones has the same array."""
    if name not in given:
        given[name] = np.zeros(shape, dtype)
    return given[name]


def ceil(items: int, each: int) -> int:
    """How many parts there are of so many items each."""
    return -(-items // each)
