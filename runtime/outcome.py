"""What launches that are done have reported, kept until somebody who waits for them is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import get_ident
from typing import NamedTuple

from .artifact import Manifest
from .errors import KernelError
from .report import Decoded, raise_or_print


class Outcome(NamedTuple):
    """What one launch reported."""

    decoded: Decoded
    manifest: Manifest
    thread: int = 0
    """The thread that is to be told, which waits for this very launch; 0: whoever waits."""

    def tell(self, device: str) -> None:
        """Print it, or raise its first failed check."""
        raise_or_print(self.decoded, self.manifest.name, device)


waiting: set[int] = set()
"""Threads that launch and wait for the end: what their launches report is told to them alone."""


def launch_and_wait(launch: Callable[[], None], wait: Callable[[], None]) -> None:
    """Launch and wait; raises what the launch reported, also where another thread waits too."""
    waiting.add(get_ident())
    try:
        launch()
        wait()
    finally:
        waiting.discard(get_ident())


def for_this_thread(outcomes: list[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """What this thread is to be told, and the rest: that of threads that wait for it now.

    What a thread was to be told whose wait was interrupted is told to whoever waits next.
    """
    others = waiting - {get_ident()}
    told = [outcome for outcome in outcomes if outcome.thread not in others]
    return told, [outcome for outcome in outcomes if outcome.thread in others]


def tell_all(outcomes: Iterable[Outcome], device: str) -> None:
    """Print what was printed, in order, and raise the first failed check."""
    failures: list[KernelError] = []
    for outcome in outcomes:
        try:
            outcome.tell(device)
        except KernelError as error:
            failures.append(error)
    if failures:
        if len(failures) > 1:
            failures[0].add_note(
                f"{len(failures) - 1} later launches failed too, the next one: {failures[1]}"
            )
        raise failures[0]
