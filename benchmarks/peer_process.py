"""A contender in a process of its own, which is told what to do in lines and answers in JSON.

Between its answers the process is stopped: threads of many libraries wait for the next work by
asking again and again, and would take a processor from whoever has the next turn.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class PeerProcess:
    """Runs a script beside this file; its first line of JSON says what it is (`hello`)."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: dict[str, str] | None = None,
    ):
        self.name = name
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.hello = self._answer()
        self._signal("SIGSTOP")

    def ask(self, line: str) -> dict[str, Any]:
        """The answer to a line; `error` where the process ended."""
        assert self._process.stdin is not None
        self._signal("SIGCONT")
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer = self._answer()
        self._signal("SIGSTOP")
        return answer

    def end(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._signal("SIGCONT")
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _signal(self, name: str) -> None:
        """Stop the process or let it go on, where there are such signals."""
        if hasattr(signal, name) and self._process.poll() is None:
            self._process.send_signal(getattr(signal, name))

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line else {"error": "the process ended"}


def cpu_peer(name: str, python: str, threads: int) -> PeerProcess:
    """A contender of `cpu.py` in a Python, whose libraries use so many threads."""
    variables = ("STEPWELL", "NUMBA", "OMP", "OPENBLAS", "MKL")
    limits = {f"{variable}_NUM_THREADS": str(threads) for variable in variables}
    script = Path(__file__).with_name("cpu_peer.py")
    return PeerProcess(name, [python, script, name], {**os.environ, **limits})
