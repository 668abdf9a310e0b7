"""Arrays of Python that are as strict as those of kernels."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import numpy as np


class CheckedArray:
    """An array that takes integers within its shape, plain slices and names of fields.

    Elements of a structured array have their fields as attributes, and are set to dataclasses.
    """

    def __init__(self, array: np.ndarray[Any, Any]):
        self.array = array.view(np.recarray) if array.dtype.names else array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            self.check(key)
        found: Any = self.array[key]
        return CheckedArray(cast(Any, found)) if isinstance(found, np.ndarray) else found

    def __setitem__(self, key: Any, value: Any) -> None:
        self.check(key)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = dataclasses.astuple(value)
        self.array[key] = value

    def check(self, key: Any) -> None:
        """IndexError for an index outside its axis."""
        indices = cast("tuple[Any, ...]", key) if isinstance(key, tuple) else (key,)
        for index, size in zip(indices, self.array.shape, strict=False):
            if not isinstance(index, slice) and not 0 <= index < size:
                raise IndexError(f"{index} of {size}")
