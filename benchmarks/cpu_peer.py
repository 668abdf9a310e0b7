"""One contender of `cpu.py`: prepares the task that it is told, and runs it as often as it is told.

    python benchmarks/cpu_peer.py stepwell|stepwell-unchecked|numpy|numba|c|torch|jax|pocl|taichi

A process of its own, so that no runtime's threads disturb another's. Says in one line of JSON what
it is, then answers each line on standard input ("prepare TASK SIZE", "run COUNT") by a line of
JSON. Standard output holds nothing else.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from time import perf_counter
from typing import Any

import numpy as np
from cpu_tasks import TASKS, is_right

# The module of each contender, and the packages whose versions it names.
PEERS = {
    "stepwell": ("cpu_kernels", ("stepwell", "llvmlite")),
    "stepwell-unchecked": ("cpu_kernels", ("stepwell", "llvmlite")),
    "numpy": ("cpu_numpy", ("numpy",)),
    "numba": ("cpu_numba", ("numba",)),
    "c": ("cpu_c", ()),
    "torch": ("cpu_torch", ("torch",)),
    "jax": ("cpu_jax", ("jax",)),
    "pocl": ("cpu_pocl", ("pyopencl",)),
    "taichi": ("cpu_taichi", ("taichi",)),
}


class Peer:
    """The tasks of one contender."""

    def __init__(self, name: str):
        module, packages = PEERS[name]
        if name == "stepwell-unchecked":
            os.environ["CHECKS"] = "0"
        found: Any = importlib.import_module(module)
        self.prepare: dict[str, Any] = found.PREPARE
        self.versions: dict[str, str] = {package: version(package) for package in packages}
        self.versions |= getattr(found, "VERSIONS", {})
        self.run: Callable[[], Any] | None = None

    def answer(self, words: list[str]) -> dict[str, Any]:
        """What a line asks for."""
        if words[0] == "run":
            assert self.run is not None, "a task is prepared first"
            start = perf_counter()
            for _ in range(int(words[1])):
                self.run()
            return {"seconds": perf_counter() - start}
        size, name = int(words[1]), " ".join(words[2:])
        self.run = None  # frees the memory of the last task
        if name not in self.prepare:
            return {"error": "not written"}
        task = next(task for task in TASKS if task.name == name)
        inputs = task.make(np.random.default_rng(0), size)
        kept = {key: np.copy(value) for key, value in inputs.items()}
        run, out = self.prepare[name](inputs)
        run()
        found = np.asarray(out() if callable(out) else out)
        correct = is_right(task, kept, found)
        self.run = run
        return {"correct": correct}


def main() -> None:
    """Answer until standard input ends."""

    def say(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), flush=True)

    try:
        peer = Peer(sys.argv[1])
    except (ImportError, OSError) as error:
        say({"error": str(error)})
        return
    say({"versions": peer.versions})
    for line in sys.stdin:
        try:
            say(peer.answer(line.split()))
        except Exception as error:  # told to whoever compares
            say({"error": f"{type(error).__name__}: {error}"[:200]})


if __name__ == "__main__":
    main()
