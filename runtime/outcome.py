"""What launches that are done have reported, kept until somebody who waits for them is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .artifact import Manifest
from .errors import KernelError
from .report import Decoded, raise_or_print


class Outcome(NamedTuple):
    """What one launch reported."""

    decoded: Decoded
    manifest: Manifest

    def tell(self, device: str) -> None:
        """Print it, or raise its first failed check."""
        raise_or_print(self.decoded, self.manifest.name, device)


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
