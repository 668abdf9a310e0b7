"""What xDSL's own tools (`xdsl-opt`) see of stepwell: entry point `xdsl.universe`.

xDSL refuses two dialects of one name, so only those go in that it does not define itself.
"""

from __future__ import annotations

from functools import partial

from xdsl.universe import XDSL_UNIVERSE, Universe

from .registry import DIALECTS, PASSES, load_row

UNIVERSE = Universe(
    all_dialects={
        name: partial(load_row, row)
        for name, row in DIALECTS.items()
        if name not in XDSL_UNIVERSE.all_dialects
    },
    all_passes={
        name: partial(load_row, row)
        for name, row in PASSES.items()
        if name not in XDSL_UNIVERSE.all_passes
    },
)
