"""expand-math: functions such as exp and sin become arithmetic, one result on all devices."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass


@dataclass(frozen=True)
class ExpandMath(ModulePass):
    """Expands the functions of math that have no instruction."""

    name = "expand-math"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        return None
