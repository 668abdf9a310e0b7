"""What a kernel can ask of the device that it is compiled for; imports neither xDSL nor NumPy.

`sw.target` says which device that is, as a constant of the compilation; `sw.inline_ptx` and
`sw.nvidia` (in `nvidia/`) are for arms that it guards.
"""

from __future__ import annotations

from typing import Any

from .intrinsics import current_thread


class Target:
    """The device that a kernel is compiled for. `if sw.target.nvidia(sm=90):` selects an arm.

    Both arms are checked on every device; the one that is taken is compiled. Under a current thread
    (see `intrinsics`) the device is "reference".
    """

    @property
    def name(self) -> str:
        """`"cpu"`, `"cuda"` and so on; `"reference"` under a current thread."""
        current_thread("target")
        return "reference"

    @property
    def arch(self) -> str:
        """The architecture, such as `"sm_90a"`; empty where there is none."""
        current_thread("target")
        return ""

    def nvidia(self, sm: Any = None) -> bool:
        """Whether it is an NVIDIA GPU of architecture `sm` or later; `"90a"` means sm_90a only."""
        current_thread("target")
        return False

    def cpu(self) -> bool:
        """Whether it is the CPU."""
        current_thread("target")
        return False

    def __repr__(self) -> str:
        return "sw.target"


target = Target()


def is_unasked(value: object) -> bool:
    """Whether a value is `sw.target` itself or a question without its parentheses."""
    return isinstance(value, Target) or value is Target.nvidia or value is Target.cpu


def inline_ptx(text: str, *operands: Any, dtype: Any = None) -> Any:
    """PTX as it is: `sw.inline_ptx("add.s32 $0, $1, $2;", a, b, dtype=sw.i32)`.

    `$0`, `$1` … are the results, then the operands. `dtype` is the type of the result, a tuple of
    types for several, None for none. For arms under `if sw.target.nvidia():`.
    """
    return current_thread("inline_ptx").inline_ptx(text, *operands, dtype=dtype)
