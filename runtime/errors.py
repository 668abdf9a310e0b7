"""What goes wrong when a kernel is launched: errors of the kernel and errors of the device."""

from __future__ import annotations

from typing import Any

Index3 = tuple[int, int, int]


class KernelError(Exception):
    """A check in a kernel failed: what, on which line, in which block and thread, with what values.

    `kind` is "bounds", "assert", "division", "barrier", "loop" or "alignment"; `line` and `column`
    count from 1 (0 when unknown); `block` and `thread` are (x, y, z); `values` are the operands of
    the check; `more` is how many further checks of the same launch failed.
    """

    kernel: str = ""
    kind: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    function: str = ""
    block: Index3 | None = None
    thread: Index3 | None = None
    values: tuple[Any, ...] = ()
    more: int = 0
    device: str = ""

    def __init__(self, message: str = "a check of the kernel failed", **fields: Any):
        super().__init__(message)
        self.message = message
        for name, value in fields.items():
            if name not in KernelError.__annotations__:
                raise TypeError(f"KernelError has no attribute {name!r}")
            setattr(self, name, value)

    def __str__(self) -> str:
        lines = [self.message]
        if self.file:
            lines.append(f"  at {self.file}:{self.line}:{self.column}{self._owner()}")
            lines += source_excerpt(self.file, self.line, self.column)
        if self.block is not None and self.thread is not None:
            lines.append(f"  in block {self.block}, thread {self.thread}{self._where()}")
        if self.values:
            lines.append(f"  values: {', '.join(str(value) for value in self.values)}")
        if self.more:
            plural = "check" if self.more == 1 else "checks"
            lines.append(f"  and {self.more} more failed {plural} in this launch")
        return "\n".join(lines)

    def _owner(self) -> str:
        if self.function and self.function != self.kernel:
            return f", in {self.function} called from kernel {self.kernel}"
        return f", in kernel {self.kernel}" if self.kernel else ""

    def _where(self) -> str:
        return f" on {self.device}" if self.device else ""


class OutOfBounds(KernelError, IndexError):
    """An index is outside its array; the access was not made."""


class AssertionFailed(KernelError, AssertionError):
    """An `assert` of the kernel is false."""


class DivisionByZero(KernelError, ZeroDivisionError):
    """An integer division or modulo by zero."""


class BarrierDivergence(KernelError):
    """A barrier was reached by some threads of a block and not by the others."""


class LoopLimit(KernelError):
    """A loop went round more often than the device lets it."""


KERNEL_ERRORS: dict[str, type[KernelError]] = {
    "bounds": OutOfBounds,
    "assert": AssertionFailed,
    "division": DivisionByZero,
    "barrier": BarrierDivergence,
    "loop": LoopLimit,
}


class DeviceError(RuntimeError):
    """A device cannot do what it was asked: it is absent, out of memory, or past its limits."""


class OutOfMemory(DeviceError, MemoryError):
    """A device has no room for an allocation."""


class DeviceLost(DeviceError):
    """A device stopped working, or a kernel did not end within STEPWELL_TIMEOUT seconds."""


class LaunchError(DeviceError, ValueError):
    """A grid, a block or an amount of shared memory that the device cannot launch."""


class ArtifactError(DeviceError, ValueError):
    """An artifact that cannot be used: damaged, foreign, too new, or made for another machine."""


class ArrayError(DeviceError, TypeError, ValueError):
    """Data of a type, shape or place that a device array cannot hold."""


def source_excerpt(file: str, line: int, column: int) -> list[str]:
    """The source line and a caret below the column, or nothing where the file cannot be read."""
    import linecache  # only when something already went wrong

    text = linecache.getline(file, line).rstrip("\n") if line > 0 else ""
    if not text:
        return []
    margin = "".join(char if char == "\t" else " " for char in text[: max(0, column - 1)])
    return [f"    {text}", f"    {margin}^"]
