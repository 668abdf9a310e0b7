"""The CPU device on sixteen tasks, in the cache and out of it, beside what else computes on CPUs.

    python benchmarks/cpu.py [--peers PYTHON] [--tasks NAME,…] [--rounds N] [--processes N]
                             [--threads N]

NumPy, Numba (parallel, fastmath), plain C (-O3 -march=native -ffast-math -fopenmp), PyTorch, JAX,
PoCL (by pyopencl) and Taichi; `--peers` is the Python whose environment has the last four (without
it, this one). Who is absent is named with the reason, and left out. Each contender is a process of
its own, stopped while others have their turn. In interleaved rounds each runs the task for about 20
ms, twice, and the second time counts: after a rest memory is slow for some milliseconds (on the
Xeon exp of 2^21 f32 in C takes 1.7, 0.7, then 0.45 ms, a product of 1024² 9 to 16, then 8; work in
registers alone is as fast at once). One process can be half as fast again as the next of the same
code (in plain C, too), for as long as it lives, so all is done in several processes, one after the
other. Results are checked against float64 in the first; medians
and quartiles are for one run. stepwell's checks are on; with checks off it has a row of its own,
from the same processes and arrays, and the ratio of both is measured apart (see `cpu_checks.py`).
Of products of matrices GFLOP/s are told, too, beside what fused multiply-adds in registers reach at
that time: a machine that others share has no peak of its own. Writes
`benchmarks/results/cpu-<processor>-<date>.json` and a picture.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from cpu_checks import ratios, row_of
from cpu_tasks import TASKS, Task
from machine import short_name
from measure import Row, rows_of
from peer_process import PeerProcess, cpu_peer
from record import picture_of, record

OURS = ("stepwell", "stepwell-unchecked")
PEERS = ("numpy", "numba", "c", "torch", "jax", "pocl", "taichi")
ELSEWHERE = ("torch", "jax", "pocl", "taichi")
ROUND_SECONDS = 0.02

Times = dict[str, list[float]]


class Contender:
    """One way to run tasks, in a process that is its own or another's, too."""

    def __init__(self, name: str, process: PeerProcess):
        self.name = name
        self.process = process
        self.error: str = process.hello.get("error", "")
        self.count = 0

    def prepare(self, task: Task, size: int, *, check: bool) -> str:
        """Make ready, and find out how often it runs in a round; why not, if not."""
        if self.error:
            return self.error
        answer = self.process.ask(
            f"{'check' if check else 'prepare'} {self.name} {size} {task.name}"
        )
        if "error" in answer:
            return answer["error"]
        once = self.run(1)
        self.count = 1
        while self.count < 1 << 20 and once < ROUND_SECONDS / 2:
            self.count = max(self.count + 1, int(self.count * min(8, ROUND_SECONDS / once)))
            once = self.run(self.count)
        return ""

    def run(self, count: int) -> float:
        """Seconds of so many runs."""
        answer = self.process.ask(f"run {self.name} {count}")
        if "seconds" not in answer:
            raise SystemExit(f"{self.name} failed while it was measured: {answer['error']}")
        return answer["seconds"]


@dataclass
class Figures:
    """What has been measured so far; all but `absent` and `tools` by task and size."""

    times: dict[str, Times] = field(default_factory=dict[str, Times])
    checks: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    peaks: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    absent: dict[str, str] = field(default_factory=dict[str, str])
    tools: dict[str, str] = field(default_factory=dict[str, str])

    def meet(self, contenders: list[Contender]) -> None:
        """Note who is absent, and what the others are."""
        self.absent |= {one.name: one.error for one in contenders if one.error}
        for one in contenders:
            self.tools |= one.process.hello.get("versions", {})

    def add(
        self,
        task: Task,
        size: int,
        contenders: list[Contender],
        rounds: Iterable[int],
        *,
        check: bool,
    ) -> str:
        """Measure a task in processes of contenders; the medians as text."""
        name = f"{task.name} {size}"
        found = measure(task, size, contenders, rounds, self.absent, check=check)
        if found.keys() >= set(OURS):
            once = statistics.median(found[OURS[0]])
            self.checks.setdefault(name, []).extend(ratios(contenders[0].process, once))
        if task.name == "matmul":
            self.peaks.setdefault(size, []).extend(peak_gflops(contenders))
        for contender, seconds in found.items():
            self.times.setdefault(name, {}).setdefault(contender, []).extend(seconds)
        medians = (f"{who} {statistics.median(took) * 1e6:.2f}" for who, took in found.items())
        return f"{name}, us: {', '.join(medians)}"

    def products(self) -> list[dict[str, Any]]:
        """GFLOP/s of products of matrices, beside the median of the peaks, if any."""
        products: list[dict[str, Any]] = []
        for size, peaks in self.peaks.items():
            reached = 2e-9 * size**3 / statistics.median(self.times[f"matmul {size}"][OURS[0]])
            products.append({"matmul": size, "gflops": round(reached, 1)})
            if peaks:
                peak = statistics.median(peaks)
                shares = {"peak_gflops": round(peak, 1), "of_peak": round(reached / peak, 3)}
                products[-1] |= shares
        return products


def main() -> int:
    """Measure, write down; 1 if stepwell itself failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--tasks", default="")
    parser.add_argument("--rounds", type=int, default=3, help="in each process")
    parser.add_argument("--processes", type=int, default=5, help="of each contender")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    wanted = [task for task in TASKS if not asked.tasks or task.name in asked.tasks.split(",")]
    cases = [(task, size) for task in wanted for size in task.sizes]
    figures = Figures()
    for number in range(asked.processes):
        contenders = start(asked.peers, asked.threads)
        figures.meet(contenders)
        for task, size in cases:
            rounds = range(number * asked.rounds, (number + 1) * asked.rounds)
            text = figures.add(task, size, contenders, rounds, check=number == 0)
            print(f"process {number + 1}, {text}", flush=True)
        for process in {one.process for one in contenders}:
            process.end()
    rows = [row for name, of_task in figures.times.items() for row in compared(name, of_task)]
    costs = [row_of(name, found) for name, found in figures.checks.items()]
    for row in [*rows, *costs]:
        print(row.line())
    products = figures.products()
    for product in products:
        print(*(f"{key} {value}" for key, value in product.items()), sep=", ")
    for name, why in figures.absent.items():
        print(f"absent: {name}: {why}")
    if not asked.tasks:
        facts: dict[str, Any] = {"threads": asked.threads, "processes": asked.processes}
        facts |= {"checks": [asdict(row) for row in costs], "products": products}
        path = record(
            f"cpu-{short_name()}", rows, tools=figures.tools, absent=figures.absent, **facts
        )
        picture_of(path, rows)
    return int(any(name.startswith("stepwell") for name in figures.absent))


def start(peers: str, threads: int) -> list[Contender]:
    """New processes of all contenders; `peers` is the Python of those that live elsewhere."""
    contenders: list[Contender] = []
    for name in (OURS[0], *PEERS):
        python = peers if name in ELSEWHERE else sys.executable
        process = cpu_peer(name, python, threads)
        names = OURS if name == OURS[0] else (name,)
        contenders += [Contender(each, process) for each in names]
    return contenders


def peak_gflops(contenders: list[Contender]) -> list[float]:
    """What the processor can do at this moment; nothing where there is no compiler of C."""
    c = [one for one in contenders if one.name == "c" and not one.error]
    return [one.process.ask("peak")["gflops"] for one in c for _ in range(3)]


def measure(
    task: Task,
    size: int,
    contenders: list[Contender],
    rounds: Iterable[int],
    absent: dict[str, str],
    *,
    check: bool,
) -> Times:
    """Seconds of each contender that has the task; who has not is told in `absent`.

    The order differs from round to round, by the rounds' numbers: who comes after whom matters.
    """
    present: list[Contender] = []
    for contender in contenders:
        why = contender.prepare(task, size, check=check)
        if not why:
            present.append(contender)
        elif not contender.error:
            absent[f"{contender.name}, {task.name} {size}"] = why
    times: Times = {one.name: [] for one in present}
    for number in rounds:
        for one in random.Random(number).sample(present, len(present)):
            one.run(one.count)
            times[one.name].append(one.run(one.count) / one.count)
    return times


def compared(task: str, times: Times) -> list[Row]:
    """A row for each contender, beside the best peer; that of stepwell with its target."""
    medians = {
        name: statistics.median(seconds) for name, seconds in times.items() if name not in OURS
    }
    best = min(medians, key=lambda name: medians[name], default="")
    targets = {"stepwell": 1.15} if best else {}
    return rows_of(task, times, unit="us", scale=1e6, against=best, targets=targets)


if __name__ == "__main__":
    sys.exit(main())
