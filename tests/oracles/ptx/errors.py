"""What can go wrong in a PTX text or its execution; errors name the PTX line and the thread."""

from __future__ import annotations


class PtxError(Exception):
    """`line` counts from 1; `thread` is a text as "block (0, 0, 0) thread (3, 0, 0)"."""

    def __init__(self, message: str, line: int | None = None, lane: int | None = None):
        super().__init__(message)
        self.message = message
        self.line = line
        self.lane = lane
        self.thread: str | None = None

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        who = f" [{self.thread}]" if self.thread else ""
        return f"{where}{self.message}{who}"


class PtxSyntaxError(PtxError):
    """The text is not PTX, or PTX that this interpreter does not read."""


class UnknownInstruction(PtxError):
    """An instruction, or a form of one, that this interpreter does not know."""


class OutOfBounds(PtxError):
    """An access outside every allocation of its state space, or a write to constant memory."""


class Misaligned(PtxError):
    """An address that is no multiple of the size of the access."""


class Uninitialised(PtxError):
    """A register is read that this thread has never written."""


class DivergentBarrier(PtxError):
    """Threads wait at a barrier or warp-wide instruction that the others never reach."""


class StepLimit(PtxError):
    """More instructions than allowed: most likely an endless loop."""


class Trap(PtxError):
    """The kernel executed `trap`, or a device-side assertion failed."""
