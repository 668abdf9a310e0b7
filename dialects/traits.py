"""Sets of traits that ops of several dialects have."""

from __future__ import annotations

from xdsl.ir import OpTraits
from xdsl.traits import IsTerminator, NoMemoryEffect, Pure, SymbolOpInterface

NO_TRAITS = OpTraits(lambda: ())
PURE = OpTraits(lambda: (Pure(),))
READ_NOTHING = OpTraits(lambda: (NoMemoryEffect(),))
SYMBOL = OpTraits(lambda: (SymbolOpInterface(),))
TERMINATOR = OpTraits(lambda: (IsTerminator(),))
