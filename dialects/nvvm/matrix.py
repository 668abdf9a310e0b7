"""Rows of matrices in registers: ldmatrix, stmatrix, mma.sync."""

from __future__ import annotations

from .base import Row

MATRIX_ROWS: dict[str, Row] = {}
