"""How what stands for the driver refuses: by the results that the driver has for it."""

from __future__ import annotations

from stepwell.runtime.cuda.table import RESULTS


class Refused(Exception):
    """A call ends with this result, called as in `table.py`."""

    def __init__(self, name: str):
        super().__init__(name)
        self.code = RESULTS[name]


def refuse_if(condition: object, name: str) -> None:
    """Refused where the condition holds."""
    if condition:
        raise Refused(name)
