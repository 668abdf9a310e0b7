"""stepwell on an NVIDIA GPU: kernels built, checked against NumPy, timed beside other libraries.

    python benchmarks/gpu_suite.py [--rounds N] [--only TASK …] [--sanitize | --small | --simulate]

Needs a GPU, its driver and stepwell[cuda]; says so and ends with 1 where one is missing. Runs where
only PyTorch, CuPy, Numba and Triton are installed, the rest from a folder of wheels: `pip install
--no-index --find-links FOLDER 'stepwell[cuda]'`. Times are those of CUDA events around launches in
a row, medians of rounds in which the contenders take turns, over three sets of arrays each larger
than the L2 cache; beside them a copy on the device. Launches and compiling are timed on the host.

`--small` runs each kernel once on small arrays, `--sanitize` does that under the four tools of
compute-sanitizer, `--simulate` over the driver of the tests, where there is no GPU; none measures.
Writes `benchmarks/results/gpu_suite-<GPU>-<date>.json`, and a picture.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import cuda_kernels
import numpy as np
from gpu_peers import Peers, peers
from gpu_tasks import SMALL_SIDE, TASKS, Case, Task
from machine import version_of
from measure import Row, rows_of
from record import picture_of, record

import stepwell as sw
from stepwell.runtime.errors import DeviceError

HERE = Path(__file__).parent
SETS, IN_A_ROW, LAUNCHES = 3, 6, 200
OURS, LIBRARY = "stepwell", "PyTorch"  # whose products are cuBLAS's
TOOLS = ("torch", "cupy-cuda13x", "numba-cuda", "triton", "cuda-bindings")
PLAIN = {"saxpy": cuda_kernels.saxpy, "reduction": cuda_kernels.reduction}
SANITIZERS = ("memcheck", "racecheck", "synccheck", "initcheck")
Run = Callable[[], object]


class Suite:
    """The device, and how things are timed on it."""

    def __init__(self, device: Any, rounds: int):
        self.device = device
        self.rounds = rounds
        self.events = device.event(), device.event()

    def milliseconds(self, runs: list[Run]) -> float:
        """Device time of one of several runs in a row."""
        start, end = self.events
        start.record()
        for run in runs:
            run()
        end.record()
        return start.elapsed_ms(end) / len(runs)

    def times(self, contenders: dict[str, list[Run]]) -> dict[str, list[float]]:
        """Of each contender and round, after one round that does not count."""
        names, found = list(contenders), {name: list[float]() for name in contenders}
        for number in range(self.rounds + 1):
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                sets = contenders[name]
                ms = self.milliseconds([sets[i % len(sets)] for i in range(IN_A_ROW)])
                if number:
                    found[name].append(ms)
        return found

    def copy_gigabytes(self) -> float:
        """Bytes read and written by copies on the device, per second."""
        pairs = [(self.device.zeros(1 << 26), self.device.zeros(1 << 26)) for _ in range(SETS)]
        runs: list[Run] = [lambda a=a, b=b: b.copy_from(a) for a, b in pairs]
        times = self.times({"copy": runs})["copy"]
        return 2 * 4 * (1 << 26) / statistics.median(times) / 1e6


def on_device(device: Any, case: Case) -> list[Any]:
    """The arguments, arrays on the device."""
    return [device.array(a) if isinstance(a, np.ndarray) else a for a in case.arguments]


def ours(task: Task, case: Case, device: Any, given: list[Any], *, checks: bool) -> Run:
    """What launches stepwell's kernel."""
    launch = task.compiled(checks=checks).launch(
        case.grid, case.block, device=device, shared_bytes=case.shared_bytes
    )
    arguments = task.arguments(given)
    return lambda: launch(*arguments)


def is_right(task: Task, case: Case, given: list[Any], run: Run) -> bool:
    """Whether a run gives what it should; what it writes is spoilt before."""
    out = given[-1]
    before = case.arguments[-1]
    if task.name != "saxpy":  # which reads what it writes
        before = np.full_like(before, task.starts_at if before.dtype.kind == "f" else 0)
    out.copy_from(before)
    run()
    found = out.numpy().astype(np.float64)
    scale = np.abs(case.expected).max()
    return bool(np.abs(found - case.expected).max() <= task.tolerance * scale)


def contenders_of(
    suite: Suite, task: Task, case: Case, others: Peers
) -> tuple[dict[str, list[Run]], dict[str, bool], dict[str, str]]:
    """What runs the task on each set of arrays; what is right; what failed, and why."""
    given = [on_device(suite.device, case) for _ in range(SETS)]
    makers: dict[str, Callable[[list[Any]], Run]] = {
        OURS: lambda g: ours(task, case, suite.device, g, checks=False),
        f"{OURS} checked": lambda g: ours(task, case, suite.device, g, checks=True),
    }
    for name, tasks in others.items():
        for known in (task.name, task.name.removeprefix("wg")):
            if known in tasks:
                makers[name] = lambda g, make=tasks[known]: make(g, *case.plain)
    runs: dict[str, list[Run]] = {}
    right: dict[str, bool] = {}
    failed: dict[str, str] = {}
    for name, make in makers.items():
        try:
            made = [make(g) for g in given]
            right[name] = is_right(task, case, given[0], made[0])
            runs[name] = made
        except Exception as error:  # of another library: the results say so
            if name.startswith(OURS):
                raise
            failed[f"{task.name}, {name}"] = f"{type(error).__name__}: {error}".split("\n")[0]
    return runs, right, failed


def measure(suite: Suite, task: Task, others: Peers) -> tuple[Case, list[Row], dict[str, str]]:
    """All contenders in one task, ours beside the fastest other one."""
    case = task.make(task.side, np.random.default_rng(0))
    runs, right, failed = contenders_of(suite, task, case, others)
    times = suite.times(runs)
    best = min(
        (name for name in times if not name.startswith(OURS)),
        key=lambda name: statistics.median(times[name]),
        default="",
    )
    by_library = bool(case.operations)
    against = LIBRARY if by_library and LIBRARY in times else best
    targets = {OURS: 1 / task.share if by_library else 1.0} if against else {}
    rows = rows_of(
        task.name, times, unit="ms", scale=1.0, correct=right, against=against, targets=targets
    )
    return case, rows, failed


def share_of(case: Case, rows: list[Row], copy: float) -> float:
    """Of stepwell without checks: bytes a second beside a copy's, or speed beside cuBLAS's."""
    mine = next(row.median for row in rows if row.contender == OURS)
    if case.bytes_moved:
        return case.bytes_moved / mine / 1e6 / copy
    library = [row.median for row in rows if row.contender == LIBRARY]
    return library[0] / mine if library else 0.0


def small(device: Any, tasks: list[Task]) -> bool:
    """Each kernel once, with checks and without, on small arrays; whether all are right."""
    fine = True
    for task in tasks:
        case = task.make(SMALL_SIDE, np.random.default_rng(0))
        for checks in (False, True):
            given = on_device(device, case)
            right = is_right(task, case, given, ours(task, case, device, given, checks=checks))
            word = "right" if right else "WRONG"
            print(f"{task.name:<12} {'checked' if checks else 'unchecked':<10} {word}", flush=True)
            fine = fine and right
    return fine


def peers_that_run(
    others: Peers, names: tuple[str, ...], task: str, case: Case, given: list[Any]
) -> dict[str, Run]:
    """What runs a task by other libraries, tried once; which cannot, and why, is printed."""
    runs: dict[str, Run] = {}
    for name in names:
        try:
            run = others[name][task](given, *case.plain)
            run()
            runs[name] = run
        except Exception as error:  # of another library, or it is missing
            print(f"{task}, left out: {name}: {type(error).__name__}: {error}".split("\n")[0])
    return runs


def launch_overhead(suite: Suite, others: Peers) -> list[Row]:
    """Microseconds of the host for a launch of saxpy on 1024 elements."""
    task = next(task for task in TASKS if task.name == "saxpy")
    case, device = task.make(32, np.random.default_rng(0)), suite.device
    given = on_device(device, case)
    runs = {
        OURS: ours(task, case, device, given, checks=False),
        f"{OURS} checked": ours(task, case, device, given, checks=True),
    }
    runs |= peers_that_run(others, ("Numba", "Triton", "CUDA C"), task.name, case, given)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(25):
        for name, run in runs.items():
            device.synchronize()
            start = perf_counter()
            for _ in range(LAUNCHES):
                run()
            times[name].append((perf_counter() - start) / LAUNCHES)
    return rows_of("launch", times, unit="µs", scale=1e6, targets={OURS: 6.0})


def cold_compile(device: Any, others: Peers) -> list[Row]:
    """Milliseconds from a Python function to the end of its first launch, nothing cached."""
    rows: list[Row] = []
    for name, target in (("saxpy", 60.0), ("reduction", 120.0)):
        task = next(task for task in TASKS if task.name == name)
        kernel, case = PLAIN[name], task.make(SMALL_SIDE, np.random.default_rng(0))
        given, title = on_device(device, case), f"cold compile, {name}"
        runs: dict[str, Run] = {
            OURS: lambda k=kernel, c=case, g=given: sw.kernel(k).launch(*c.plain, device=device)(*g)
        }
        runs |= peers_that_run(others, ("Numba", "Triton"), title, case, given)
        times: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(8):
            for other, run in runs.items():
                device.synchronize()
                start = perf_counter()
                run()
                device.synchronize()
                if number:
                    times[other].append(perf_counter() - start)
        rows += rows_of(title, times, unit="ms", scale=1e3, targets={OURS: target})
    return rows


def sanitize(arguments: list[str]) -> int:
    """Run `--small` under each tool of compute-sanitizer; 1 where one finds something."""
    program = shutil.which("compute-sanitizer")
    if program is None:
        print("compute-sanitizer is not on PATH; it comes with the CUDA toolkit")
        return 1
    worst = 0
    for tool in SANITIZERS:
        words = [program, "--tool", tool, "--error-exitcode", "9", sys.executable, __file__]
        status = subprocess.call([*words, "--small", *arguments])
        print(f"{tool}: {'clean' if status == 0 else f'status {status}'}", flush=True)
        worst = max(worst, int(status != 0))
    return worst


def find_device(*, simulate: bool) -> Any:
    """The GPU, or the device over the driver of the tests; DeviceError if there is none."""
    if not simulate:
        return sw.device("cuda")
    sys.path.insert(0, str(HERE.parent / "tests"))
    from oracles.cuda_driver.device import open_simulated

    return open_simulated()


def main() -> int:
    """Run what is asked for; 1 without a GPU or where a result is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only", action="append", choices=[task.name for task in TASKS])
    for option in ("small", "simulate", "sanitize"):
        parser.add_argument(f"--{option}", action="store_true")
    asked = parser.parse_args()
    os.environ.update(STEPWELL_CACHE="0", CUDA_CACHE_DISABLE="1", TRITON_ALWAYS_COMPILE="1")
    wanted = [task for task in TASKS if asked.only is None or task.name in asked.only]
    if asked.sanitize:
        return sanitize([f"--only={name}" for name in asked.only or ()])
    try:
        device = find_device(simulate=asked.simulate)
    except DeviceError as error:
        print(f"no GPU here, nothing was measured: {error}")
        return 1
    print(f"{device.description}, code for {device.target}")
    tasks = [task for task in wanted if task.needs in ("", device.target)]
    for task in wanted:
        if task not in tasks:
            print(f"left out: {task.name}, which is for {task.needs}")
    if asked.small or asked.simulate:
        return int(not small(device, tasks))
    return measure_all(Suite(device, asked.rounds), tasks)


def measure_all(suite: Suite, tasks: list[Task]) -> int:
    """Everything that is measured, printed and written down."""
    others, missing = peers()
    copy = suite.copy_gigabytes()
    print(f"a copy on the device: {copy:.0f} GB/s, read and written")
    rows: list[Row] = []
    shares: dict[str, dict[str, float]] = {}
    for task in tasks:
        case, found, failed = measure(suite, task, others)
        share = share_of(case, found, copy)
        of = "a copy" if case.bytes_moved else LIBRARY
        shares[task.name] = {
            "share": share,
            "wanted": task.share,
            "bytes_moved": case.bytes_moved,
            "operations": case.operations,
        }
        print("\n".join(row.line() for row in found))
        print(f"{task.name:<28} {share:.3f} of {of}, wanted {task.share:g}", flush=True)
        rows += found
        missing |= failed
    more = launch_overhead(suite, others) + cold_compile(suite.device, others)
    print("\n".join(row.line() for row in more))
    print("\n".join(f"left out: {name}: {why}" for name, why in missing.items()))
    tools = {name: version_of(name) for name in TOOLS}
    path = record(
        *(f"gpu_suite-{suite.device.properties.name.lower().replace(' ', '-')}", rows + more),
        tools=tools,
        gpu=suite.device.description,
        copy_gigabytes_per_second=copy,
        shares=shares,
        left_out=missing,
    )
    picture_of(path, rows + more)
    return int(not all(row.correct for row in rows if row.contender.startswith(OURS)))


if __name__ == "__main__":
    sys.exit(main())
