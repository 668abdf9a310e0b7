"""The nvvm dialect: instructions of NVIDIA GPUs, with upstream MLIR's names and syntax (LLVM 19).

An op stands for one LLVM intrinsic or one piece of PTX, inside functions of the llvm dialect. What
upstream has since, or not at all (votes other than ballot, match, nanosleep, griddepcontrol,
inline_ptx), is written in the same style. Each op says the least architecture that has it;
`check_architecture` in `lowering/gpu_to_nvvm/` holds a module against one.

The tests' interpreter of PTX executes them, but for what concerns the blocks of a cluster (`mapa`,
`cluster.*`), which only ptxas has seen.

`OPS["barrier0"]` is the class of `nvvm.barrier0`.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from .attributes import ATTRIBUTES
from .base import Needs, NvvmOp, Row
from .table import TABLE
from .wgmma import WGMMA_ATTRIBUTES
from .wmma import FragmentAttr

__all__ = ["NVVM", "OPS", "TABLE", "Needs", "NvvmOp", "Row"]


def _declare(name: str, row: Row) -> type[NvvmOp]:
    members: dict[str, object] = {
        "name": f"nvvm.{name}",
        "row": row,
        "traits": row.traits,
        "operand_count": None if row.operands is None else len(row.operands),
        "result_count": None if row.results is None else len(row.results),
        "__module__": __name__,
        "__doc__": row.meaning,
    }
    return type("Nvvm" + name.title().replace(".", ""), (NvvmOp,), members)


OPS: dict[str, type[NvvmOp]] = {name: _declare(name, row) for name, row in TABLE.items()}
"""The classes of the ops by name without the prefix."""

NVVM = Dialect("nvvm", list(OPS.values()), [*ATTRIBUTES, *WGMMA_ATTRIBUTES, FragmentAttr])
"""The dialect, to be registered with a context."""
