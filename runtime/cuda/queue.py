"""A stream of the driver with what the host has to remember of it.

Order between streams is kept by two marks. `dirty`: there is work that the default stream has not
been told to wait for. `behind`: the default stream did something (an allocation, an upload, an
array that was taken over) that the queue has not been told to wait for; a launch looks at it, and
costs nothing more where it is not set.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from ..outcome import for_this_thread

if TYPE_CHECKING:
    from ..outcome import Outcome
    from ..report_pool import ReportBuffer
    from .graph import CapturedReport, CudaGraph

# Launches that an error can be blamed on.
MOST_RECENT = 8


class Queue:
    """One stream; `handle` is what the driver takes, `owner` keeps a foreign one alive."""

    def __init__(self, handle: Any, event: Any, *, owned: bool, owner: object = None):
        self.handle = handle
        self.event = event
        self.owned = owned
        self.owner = owner
        self.users = 1  # stream objects, of which a foreign stream may have several
        self.dirty = False
        self.behind = True
        self.launchers: dict[Any, Any] = {}
        self.recent: deque[str] = deque(maxlen=MOST_RECENT)
        self.outcomes: list[Outcome] = []
        self.capture: CudaGraph | None = None
        # Launches that can report and are not read yet; how many there were, and were read.
        self.pending: deque[ReportBuffer | CapturedReport] = deque()
        self.sent = 0
        self.read = 0
        # Events, each with how many such launches are done when it is reached.
        self.marks: deque[tuple[Any, int]] = deque()
        self.marked = 0

    def add(self, report: ReportBuffer | CapturedReport) -> None:
        """A launch that can report was made."""
        self.pending.append(report)
        self.sent += 1

    def collect(self, number: int) -> None:
        """The first `number` launches that can report are done: read what they reported."""
        while self.read < number and self.pending:
            outcome = self.pending.popleft().collect()
            self.read += 1
            if outcome is not None:
                self.outcomes.append(outcome)

    def take_outcomes(self) -> list[Outcome]:
        """What was collected and this thread is to be told."""
        taken, self.outcomes = for_this_thread(self.outcomes)
        return taken
