"""The predicates of `arith.cmpi`, by upstream's numbers, and what becomes of them."""

from __future__ import annotations

EQ, NE, SLT, SLE, SGT, SGE, ULT, ULE, UGT, UGE = range(10)

# The same with its operands exchanged, and the one with the opposite outcome.
EXCHANGED = (EQ, NE, SGT, SGE, SLT, SLE, UGT, UGE, ULT, ULE)
OPPOSITE = (NE, EQ, SGE, SGT, SLE, SLT, UGE, UGT, ULE, ULT)
