"""One contender of `cpu.py`: prepares the task that it is told, and runs it as often as it is told.

    python benchmarks/cpu_peer.py stepwell|numpy|numba|c|torch|jax|pocl|taichi

A process of its own, so that no runtime's threads disturb another's. Says in one line of JSON what
it is, then answers each line on standard input by a line of JSON: "check VARIANT SIZE TASK" makes
ready and holds the result against float64, "prepare VARIANT SIZE TASK" makes ready only, "run
VARIANT COUNT" runs. A variant is the contender itself, or stepwell with checks off. Standard output
holds nothing else.
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
    "numpy": ("cpu_numpy", ("numpy",)),
    "numba": ("cpu_numba", ("numba",)),
    "c": ("cpu_c", ()),
    "torch": ("cpu_torch", ("torch",)),
    "jax": ("cpu_jax", ("jax",)),
    "pocl": ("cpu_pocl", ("pyopencl",)),
    "taichi": ("cpu_taichi", ("taichi",)),
}
OF_STEPWELL = ("cpu_common", "cpu_kernels", "cpu_block_kernels")


class Peer:
    """The tasks of one contender, and of its variants."""

    def __init__(self, name: str):
        module, packages = PEERS[name]
        found: Any = importlib.import_module(module)
        self.prepare: dict[str, dict[str, Any]] = {name: found.PREPARE}
        if name == "stepwell":
            self.prepare["stepwell-unchecked"] = _unchecked()
        self.versions: dict[str, str] = {package: version(package) for package in packages}
        self.versions |= getattr(found, "VERSIONS", {})
        self.run: dict[str, Callable[[], Any]] = {}
        self.task = ""

    def answer(self, words: list[str]) -> dict[str, Any]:
        """What a line asks for."""
        if words[0] == "run":
            run = self.run[words[1]]
            start = perf_counter()
            for _ in range(int(words[2])):
                run()
            return {"seconds": perf_counter() - start}
        variant, size, name = words[1], int(words[2]), " ".join(words[3:])
        if self.task != f"{name} {size}":
            self.run = {}  # frees the memory of the last task
            self.task = f"{name} {size}"
        prepare = self.prepare[variant]
        if name not in prepare:
            return {"error": "not written"}
        task = next(task for task in TASKS if task.name == name)
        inputs = task.make(np.random.default_rng(0), size)
        kept = {key: np.copy(value) for key, value in inputs.items() if words[0] == "check"}
        run, out = prepare[name](inputs)
        run()
        if kept and not is_right(task, kept, np.asarray(out() if callable(out) else out)):
            return {"error": "wrong result"}
        self.run[variant] = run
        return {}


def _unchecked() -> dict[str, Any]:
    """What prepares stepwell's tasks with checks off, of modules of their own."""
    checked = {name: sys.modules.pop(name) for name in OF_STEPWELL}
    os.environ["CHECKS"] = "0"
    prepare: dict[str, Any] = importlib.import_module("cpu_kernels").PREPARE
    sys.modules.update(checked)
    return prepare


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
