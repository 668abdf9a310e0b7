"""One contender of `cpu.py`: prepares the task that it is told, and runs it as often as it is told.

    python benchmarks/cpu_peer.py stepwell|numpy|numba|c|torch|jax|pocl|taichi

A process of its own, so that no runtime's threads disturb another's. Says in one line of JSON what
it is, then answers each line on standard input by a line of JSON: "check VARIANT SIZE TASK" makes
ready and holds the result against float64, "prepare VARIANT SIZE TASK" makes ready only, "run
VARIANT COUNT" runs; "alternate COUNT PAIRS VARIANT VARIANT" runs both in turns of so many runs;
"peak" asks C how much the processor can do. A variant is the contender itself, or stepwell with
checks off, which has the same arrays: where they lie decides more than checks do. Standard output
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
        self.peak_gflops: Callable[[], float] | None = getattr(found, "peak_gflops", None)
        self.versions: dict[str, str] = {package: version(package) for package in packages}
        self.versions |= getattr(found, "VERSIONS", {})
        self.run: dict[str, Callable[[], Any]] = {}
        self.task = ""
        self.inputs: dict[str, Any] = {}

    def answer(self, words: list[str]) -> dict[str, Any]:
        """What a line asks for."""
        if words[0] == "run":
            return {"seconds": _seconds(self.run[words[1]], int(words[2]))}
        if words[0] == "peak" and self.peak_gflops:
            return {"gflops": self.peak_gflops()}
        if words[0] == "alternate":
            return {"seconds": self.alternate(int(words[1]), int(words[2]), words[3:])}
        return self.make_ready(words[1], int(words[2]), " ".join(words[3:]), words[0] == "check")

    def make_ready(self, variant: str, size: int, name: str, check: bool) -> dict[str, Any]:
        """Prepare a task and run it once; the variants of a contender share inputs and output."""
        prepare = self.prepare[variant]
        if name not in prepare:
            return {"error": "not written"}
        task = next(task for task in TASKS if task.name == name)
        if self.task != f"{name} {size}":
            self.run, self.inputs = {}, {}  # frees the memory of the last task
            self.task = f"{name} {size}"
            self.inputs = task.make(np.random.default_rng(0), size)
        kept = {key: np.copy(value) for key, value in self.inputs.items() if check}
        run, out = prepare[name](self.inputs)
        run()
        if kept and not is_right(task, kept, np.asarray(out() if callable(out) else out)):
            return {"error": "wrong result"}
        self.run[variant] = run
        return {}

    def alternate(self, count: int, pairs: int, variants: list[str]) -> list[list[float]]:
        """Seconds of two variants in turn, pair by pair; who comes first changes each time."""
        times: list[list[float]] = [[], []]
        for pair in range(pairs):
            for which in (0, 1) if pair % 2 else (1, 0):
                times[which].append(_seconds(self.run[variants[which]], count))
        return times


def _seconds(run: Callable[[], Any], count: int) -> float:
    """What so many runs take."""
    start = perf_counter()
    for _ in range(count):
        run()
    return perf_counter() - start


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
