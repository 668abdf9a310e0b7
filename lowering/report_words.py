"""The report buffer as kernels write it; `runtime/report.py` says what its words mean."""

from __future__ import annotations

HEADER_WORDS, PRINTED_WORD = 4, 2
ID_COUNT = 6  # block x y z, thread x y z
FAILURES_SHIFT = 2  # in a kernel that prints, failed checks have a quarter of the room
SIGNED = ("i8", "i16", "i32", "i64", "index")  # formats of values that are extended by their sign
OFTEN, RARELY = 1048575, 1
"""How often a check holds and fails, as the weights of a branch."""
