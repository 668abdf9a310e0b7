"""Products of matrices that a subgroup has an instruction for, as words of a target's features.

matrix_16x8x32_s8_s32      rows, columns and depth; the elements of both factors; of the sums
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from ...runtime.vulkan.profile import MATRIX_WORD


class MatrixUnit(NamedTuple):
    """M, N, K; `factors` and `sums` are f16, f32, f64, or an integer with its sign: s8, u32."""

    rows: int
    columns: int
    depth: int
    factors: str
    sums: str

    def __str__(self) -> str:
        return f"matrix_{self.rows}x{self.columns}x{self.depth}_{self.factors}_{self.sums}"

    @property
    def sizes_and_types(self) -> str:
        """For messages."""
        return f"{self.rows}x{self.columns}x{self.depth} {self.factors} to {self.sums}"

    @property
    def tiles(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Rows and columns of both factors and of the sums."""
        return (
            (self.rows, self.depth),
            (self.depth, self.columns),
            (self.rows, self.columns),
        )


def units_in(words: Iterable[str]) -> tuple[MatrixUnit, ...]:
    """The units among the words of a target, the largest first."""
    return _units(frozenset(words))


@cache
def _units(words: frozenset[str]) -> tuple[MatrixUnit, ...]:
    found = [match for word in words if (match := MATRIX_WORD.fullmatch(word))]
    units = [
        MatrixUnit(int(match[1]), int(match[2]), int(match[3]), match[4], match[5])
        for match in found
    ]
    return tuple(sorted(units, key=lambda u: (-u.rows * u.columns * u.depth, str(u))))
