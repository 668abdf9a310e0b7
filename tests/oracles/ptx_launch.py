"""A kernel for one architecture, in the PTX interpreter: for what the default one does not have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from oracles.ptx.module import Module

import stepwell as sw

Array = np.ndarray[Any, Any]


def launch_ptx(
    function: Callable[..., Any],
    *arrays: Array,
    arch: str,
    grid: Sequence[int] = (1,),
    block: Sequence[int] = (32,),
    checks: bool = False,
) -> str:
    """Compile for the types of the arrays and run over them in place; the PTX."""
    types = [sw.Array[array.dtype, array.ndim] for array in arrays]
    artifact = sw.kernel(checks=checks)(function).compile(types, target=f"cuda:{arch}")
    text = artifact.payload.decode()
    arguments: list[Any] = []
    for array in arrays:
        arguments += [array, *(np.uint64(size) for size in array.shape)]
    Module(text).launch(artifact.manifest.entry, grid, block, arguments)
    return text
