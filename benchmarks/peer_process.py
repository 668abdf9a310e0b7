"""A contender in a process of its own, which is told what to do in lines and answers in JSON."""

from __future__ import annotations

import json
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

    def ask(self, line: str) -> dict[str, Any]:
        """The answer to a line; `error` where the process ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line else {"error": "the process ended"}
