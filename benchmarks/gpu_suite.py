"""stepwell on an NVIDIA GPU: kernels built, checked against NumPy, timed beside other libraries.

    python benchmarks/gpu_suite.py [--rounds N] [--only TASK …] [--sanitize | --small | --simulate]

Needs a GPU, its driver and stepwell[cuda]; says so and ends with 1 where one is missing. Runs where
only PyTorch, CuPy, Numba and Triton are installed, the rest from a folder of wheels: `pip install
--no-index --find-links FOLDER 'stepwell[cuda]'`. Times are those of CUDA events around launches in
a row, medians of rounds in which the contenders take turns, over three sets of arrays each larger
than the L2 cache; beside them a copy on the device. Launches and compiling are timed on the host.

`--small` runs each kernel once on small arrays, `--sanitize` does that under the four tools of
compute-sanitizer, `--simulate` over the driver of the tests, where there is no GPU; none measures.
Writes `benchmarks/results/gpu_suite-<date>.json`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from gpu_peers import peers
from gpu_tasks import SMALL_SIDE, TASKS, Case, Task
from machine import machine, versions

import stepwell as sw
from stepwell.runtime.errors import DeviceError

HERE = Path(__file__).parent
SETS, IN_A_ROW = 3, 6
SANITIZERS = ("memcheck", "racecheck", "synccheck", "initcheck")
Run = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One contender in one task; `ms` a median, with the quarters below and above it."""

    task: str
    contender: str
    ms: float
    low: float
    high: float
    gigabytes_per_second: float
    teraflops: float
    share_of_copy: float
    correct: bool
    error: str = ""

    def line(self) -> str:
        """As text."""
        if self.error:
            return f"{self.task:<12} {self.contender:<16} failed: {self.error}"
        return (
            f"{self.task:<12} {self.contender:<16} {self.ms:9.4f} ({self.low:.4f} to "
            f"{self.high:.4f}) {self.gigabytes_per_second:9.1f} GB/s {self.teraflops:8.2f} TFLOP/s "
            f"{self.share_of_copy:5.2f} of a copy  {'right' if self.correct else 'WRONG'}"
        )


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
    launch = task.compiled(checks=checks).launch(case.grid, case.block, device=device)
    return lambda: launch(*given)


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
    suite: Suite, task: Task, cases: list[Case], others: dict[str, dict[str, Any]]
) -> tuple[dict[str, list[Run]], list[Row], dict[str, bool]]:
    """What runs the task, for each set of arrays; what failed; what is right."""
    given = [on_device(suite.device, case) for case in cases]
    makers: dict[str, Callable[[Case, list[Any]], Run]] = {
        "stepwell": lambda case, g: ours(task, case, suite.device, g, checks=False),
        "stepwell checked": lambda case, g: ours(task, case, suite.device, g, checks=True),
    }
    for name, tasks in others.items():
        if task.name in tasks:
            makers[name] = lambda case, g, make=tasks[task.name]: make(g, case.grid, case.block)
    runs: dict[str, list[Run]] = {}
    failed: list[Row] = []
    right: dict[str, bool] = {}
    for name, make in makers.items():
        try:
            made = [make(case, g) for case, g in zip(cases, given, strict=True)]
            right[name] = is_right(task, cases[0], given[0], made[0])
            runs[name] = made
        except Exception as error:  # of another library: the row says so
            if name.startswith("stepwell"):
                raise
            text = f"{type(error).__name__}: {error}".split("\n")[0]
            failed.append(Row(task.name, name, *[0.0] * 6, correct=False, error=text))
    return runs, failed, right


def measure(suite: Suite, task: Task, copy: float, others: dict[str, Any]) -> list[Row]:
    """All contenders in one task."""
    rng = np.random.default_rng(0)
    first = task.make(task.side, rng)
    runs, rows, right = contenders_of(suite, task, [first] * SETS, others)
    for name, times in suite.times(runs).items():
        ms = statistics.median(times)
        low, _, high = statistics.quantiles(times, n=4)
        bytes_rate, rate = first.bytes_moved / ms / 1e6, first.operations / ms / 1e9
        share = bytes_rate / copy if copy else 0.0
        rows.append(Row(task.name, name, ms, low, high, bytes_rate, rate, share, right[name]))
    return rows


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


def host_microseconds(run: Run, wait: Run, launches: int = 200) -> float:
    """Host time of one launch, the median of rows of launches that nothing waits for."""
    taken: list[float] = []
    for _ in range(25):
        wait()
        start = perf_counter()
        for _ in range(launches):
            run()
        taken.append((perf_counter() - start) / launches * 1e6)
    return statistics.median(taken)


def launch_overhead(suite: Suite, others: dict[str, Any]) -> dict[str, float]:
    """Microseconds of the host for a launch of saxpy on 1024 elements."""
    task = next(task for task in TASKS if task.name == "saxpy")
    case, device = task.make(32, np.random.default_rng(0)), suite.device
    given = on_device(device, case)
    found = {
        name: host_microseconds(ours(task, case, device, given, checks=checks), device.synchronize)
        for name, checks in (("stepwell", False), ("stepwell checked", True))
    }
    for name in ("Numba", "Triton", "CUDA C"):
        if name in others and task.name in others[name]:
            run = others[name][task.name](given, case.grid, case.block)
            found[name] = host_microseconds(run, device.synchronize)
    return found


def cold_compile(device: Any, name: str) -> float:
    """Milliseconds from the Python function to a kernel that can be launched, nothing cached."""
    task = next(task for task in TASKS if task.name == name)
    case = task.make(SMALL_SIDE, np.random.default_rng(0))
    given = on_device(device, case)
    taken: list[float] = []
    for _ in range(7):
        start = perf_counter()
        kernel = task.compiled(checks=True)
        device.load(kernel.artifact_for(given, sw.launch.Form(), device))
        taken.append((perf_counter() - start) * 1e3)
    return statistics.median(taken[1:])


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
    os.environ.update(STEPWELL_CACHE="0", CUDA_CACHE_DISABLE="1")
    tasks = [task for task in TASKS if asked.only is None or task.name in asked.only]
    if asked.sanitize:
        return sanitize([f"--only={name}" for name in asked.only or ()])
    try:
        device = find_device(simulate=asked.simulate)
    except DeviceError as error:
        print(f"no GPU here, nothing was measured: {error}")
        return 1
    print(f"{device.description}, code for {device.target}")
    if asked.small or asked.simulate:
        return int(not small(device, tasks))
    return measure_all(Suite(device, asked.rounds), tasks)


def measure_all(suite: Suite, tasks: list[Task]) -> int:
    """Everything that is measured, printed and written down."""
    others, missing = peers()
    for line in missing:
        print(f"left out: {line}")
    copy = suite.copy_gigabytes()
    print(f"a copy on the device: {copy:.0f} GB/s, read and written")
    rows: list[Row] = []
    for task in tasks:
        found = measure(suite, task, copy, others)
        rows += found
        print("\n".join(row.line() for row in found), flush=True)
    launches = launch_overhead(suite, others)
    compiles = {name: cold_compile(suite.device, name) for name in ("saxpy", "reduction")}
    print("launch, µs of the host:", ", ".join(f"{n} {us:.2f}" for n, us in launches.items()))
    print("cold compile, ms:", ", ".join(f"{n} {ms:.0f}" for n, ms in compiles.items()))
    write(suite.device, copy, rows, launches, compiles, missing)
    return int(not all(row.correct for row in rows if row.contender.startswith("stepwell")))


def write(device: Any, copy: float, rows: list[Row], *rest: Any) -> None:
    """The JSON file."""
    now = datetime.datetime.now(datetime.UTC)
    launches, compiles, missing = rest
    content = {
        "date": now.isoformat(timespec="seconds"),
        "gpu": device.description,
        "machine": machine(),
        "versions": versions(),
        "copy_gigabytes_per_second": copy,
        "rows": [asdict(row) for row in rows],
        "launch_us": launches,
        "cold_compile_ms": compiles,
        "left_out": missing,
    }
    path = HERE / "results" / f"gpu_suite-{now:%Y-%m-%d}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}")


if __name__ == "__main__":
    sys.exit(main())
