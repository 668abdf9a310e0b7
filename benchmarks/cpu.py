"""The CPU device on sixteen tasks, in the cache and out of it, beside what else computes on CPUs.

    python benchmarks/cpu.py [--peers PYTHON] [--tasks NAME,…] [--rounds N] [--threads N]

NumPy, Numba (parallel, fastmath), plain C (-O3 -march=native -ffast-math -fopenmp), PyTorch, JAX,
PoCL (by pyopencl) and Taichi; `--peers` is the Python whose environment has the last four (without
it, this one). Who is absent is named with the reason, and left out. Each contender is a process of
its own, stopped while others have their turn; in interleaved rounds each runs the task for about 20
ms. Results are checked against float64; medians and quartiles are for one run. stepwell's checks
are on, and off in a row of their own. Writes `benchmarks/results/cpu-<date>.json` and a picture.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from pathlib import Path

from cpu_tasks import TASKS, Task
from measure import Row, rows_of
from peer_process import PeerProcess
from record import picture_of, record

OURS = ("stepwell", "stepwell-unchecked")
PEERS = ("numpy", "numba", "c", "torch", "jax", "pocl", "taichi")
ELSEWHERE = ("torch", "jax", "pocl", "taichi")
ROUND_SECONDS = 0.02
HERE = Path(__file__).parent


class Contender(PeerProcess):
    """A process that runs tasks."""

    def __init__(self, name: str, python: str, threads: int):
        variables = ("STEPWELL", "NUMBA", "OMP", "OPENBLAS", "MKL")
        counts = {f"{variable}_NUM_THREADS": str(threads) for variable in variables}
        super().__init__(name, [python, HERE / "cpu_peer.py", name], {**os.environ, **counts})
        self.error: str = self.hello.get("error", "")
        self.versions: dict[str, str] = self.hello.get("versions", {})
        self.count = 0

    def prepare(self, task: Task, size: int) -> str:
        """Make ready, check, and find out how often it runs in a round; why not, if not."""
        if self.error:
            return self.error
        answer = self.ask(f"prepare {size} {task.name}")
        if "error" in answer:
            return answer["error"]
        if not answer["correct"]:
            return "wrong result"
        once = self.run(1)
        self.count = 1
        while self.count < 1 << 20 and once < ROUND_SECONDS / 2:
            self.count = max(self.count + 1, int(self.count * min(8, ROUND_SECONDS / once)))
            once = self.run(self.count)
        return ""

    def run(self, count: int) -> float:
        """Seconds of so many runs."""
        answer = self.ask(f"run {count}")
        if "seconds" not in answer:
            raise SystemExit(f"{self.name} failed while it was measured: {answer['error']}")
        return answer["seconds"]


def main() -> int:
    """Measure, write down; 1 if stepwell itself failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--tasks", default="")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    wanted = [task for task in TASKS if not asked.tasks or task.name in asked.tasks.split(",")]
    contenders = [
        Contender(name, asked.peers if name in ELSEWHERE else sys.executable, asked.threads)
        for name in (*OURS, *PEERS)
    ]
    absent = {one.name: one.error for one in contenders if one.error}
    rows: list[Row] = []
    for task in wanted:
        for size in task.sizes:
            found = measure(task, size, contenders, asked.rounds, absent)
            rows += found
            for row in found:
                print(row.line(), flush=True)
    for name, why in absent.items():
        print(f"absent: {name}: {why}")
    tools = {key: text for one in contenders for key, text in one.versions.items()}
    if not asked.tasks:
        path = record("cpu", rows, tools=tools, absent=absent, threads=asked.threads)
        picture_of(path, rows)
    for contender in contenders:
        contender.end()
    return int(any(name.startswith("stepwell") for name in absent))


def measure(
    task: Task, size: int, contenders: list[Contender], rounds: int, absent: dict[str, str]
) -> list[Row]:
    """A row for each contender that has the task; who has not is told in `absent`."""
    present: list[Contender] = []
    for contender in contenders:
        why = contender.prepare(task, size)
        if not why:
            present.append(contender)
        elif not contender.error:
            absent[f"{contender.name}, {task.name} {size}"] = why
    times: dict[str, list[float]] = {one.name: [] for one in present}
    for number in range(rounds):
        order = random.Random(number).sample(present, len(present))  # who comes after whom matters
        for one in order:
            times[one.name].append(one.run(one.count) / one.count)
    peers = {name: seconds for name, seconds in times.items() if name not in OURS}
    best = min(peers, key=lambda name: sorted(peers[name])[len(peers[name]) // 2], default="")
    targets = {"stepwell": 1.15} if best else {}
    return rows_of(
        f"{task.name} {size}", times, unit="us", scale=1e6, against=best, targets=targets
    )


if __name__ == "__main__":
    sys.exit(main())
