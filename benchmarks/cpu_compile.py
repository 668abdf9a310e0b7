"""What it takes to come by a kernel's code: each kernel of `cpu.py`'s tasks, compiled and loaded.

    python benchmarks/cpu_compile.py [--quick]

Each round is a fresh process that has compiled another kernel before (and so has imported the
compiler, and LLVM's binding), then runs all tasks once, at their small sizes and in an order of its
own: without a disk cache, and then with a full one. Measured is what lies between a launch and the
first instruction of its kernel: from the Python function to code that is loaded. The rows named
"CPU" are what the processor worked for it. Part of `cpu_first.py`; run by itself it writes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from time import perf_counter, thread_time
from typing import Any

from measure import Row, rows_of

COMPILED = {"saxpy": 40.0}  # ms; the largest of them:
LARGEST = 400.0
LOADED = 10.0
# Seconds that passed, and those of the processor, for each kernel.
Found = dict[str, tuple[float, float]]


def measure_compile(quick: bool) -> list[Row]:
    """Milliseconds of each kernel, medians of fresh processes."""
    rounds = 1 if quick else 7
    compiled: list[Found] = []
    loaded: list[Found] = []
    with tempfile.TemporaryDirectory() as folder:
        cached = {"STEPWELL_CACHE_DIR": folder, "STEPWELL_CACHE": "1"}
        _in_process(0, cached)
        for number in range(rounds):
            compiled.append(_in_process(number, {"STEPWELL_CACHE": "0"}))
            loaded.append(_in_process(number, cached))
    targets = {name: COMPILED.get(name, LARGEST) for name in compiled[0]}
    return [
        *_rows("compile", compiled, targets),
        *_rows("load from the disk cache", loaded, dict.fromkeys(targets, LOADED)),
    ]


def _rows(task: str, rounds: list[Found], targets: dict[str, float]) -> list[Row]:
    passed, worked = (
        {name: [found[name][which] for found in rounds] for name in sorted(targets)}
        for which in (0, 1)
    )
    return [
        *rows_of(task, passed, unit="ms", scale=1e3, targets=targets),
        *rows_of(f"{task}, CPU", worked, unit="ms", scale=1e3),
    ]


def _in_process(number: int, variables: dict[str, str]) -> Found:
    """What a process with these variables of the environment measures."""
    command = [sys.executable, __file__, "--order", str(number)]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"a process that compiles all tasks failed:\n{done.stderr}")
    return json.loads(done.stdout)


def run_tasks(order: int) -> Found:
    """Run all tasks once; what each of their kernels took until it was loaded."""
    import numpy as np
    from cpu_kernels import PREPARE  # with it a first kernel, which asks for the lanes
    from cpu_tasks import TASKS

    from stepwell.launch import Program
    from stepwell.runtime.arguments import argument_key

    found: Found = {}
    task = ""
    load = Program.load

    def timed(self: Program, key: Any, arguments: Any, *rest: Any) -> Any:
        start = perf_counter(), thread_time()
        loaded = load(self, key, arguments, *rest)
        seconds = perf_counter() - start[0], thread_time() - start[1]
        # Constants of a kernel follow the key of its arguments, each with its type.
        constants = [value for _, value in key[1:]] if key[0] == argument_key(arguments) else []
        found.setdefault(label(task, self.__name__, constants), seconds)
        return loaded

    Program.load = timed
    for each in random.Random(order).sample(TASKS, len(TASKS)):
        task = each.name
        run, _ = PREPARE[task](each.make(np.random.default_rng(0), each.sizes[0]))
        run()
    return found


def label(task: str, kernel: str, constants: list[str]) -> str:
    """A task, with its kernel where it has several, and what that is compiled for."""
    words = [kernel] if kernel != task.replace(" ", "_").replace("-", "_") else []
    return ", ".join([task, *words, *constants])


def main() -> None:
    """Print what was measured, or measure in this process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round: a try")
    parser.add_argument("--order", type=int, help="run all tasks here, in this order")
    asked = parser.parse_args()
    if asked.order is not None:
        print(json.dumps(run_tasks(asked.order)))
        return
    for row in measure_compile(asked.quick):
        print(row.line())


if __name__ == "__main__":
    main()
