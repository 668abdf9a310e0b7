"""What checks cost on the CPU: each task of `cpu.py` with checks on and off, in turn.

    python benchmarks/cpu_checks.py [--tasks NAME,…] [--processes N] [--threads N]

Both variants work on the same arrays in one process, in short turns (of about 0.2 ms, or one run)
that change places from pair to pair: where arrays lie, and what else the machine does, then counts
for both. A ratio is of the two turns of a pair. Where code lies differs from process to process, so
there are several. Medians and quartiles of the ratios; `cpu.py` measures them too and keeps them
beside its times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys

from cpu_tasks import TASKS, Task
from measure import Row
from peer_process import PeerProcess, cpu_peer

ON, OFF = "stepwell", "stepwell-unchecked"
TURN_SECONDS, TASK_SECONDS = 0.0002, 0.4
LEAST_PAIRS, MOST_PAIRS = 12, 400
TARGET = 1.05


def ratios(process: PeerProcess, once: float) -> list[float]:
    """Checks on to off, of the task that both variants were made ready for; `once`: what a run
    takes, in seconds."""
    count = max(1, round(TURN_SECONDS / once))
    pairs = int(TASK_SECONDS / (2 * count * once))
    pairs = min(max(pairs, LEAST_PAIRS), MOST_PAIRS)
    answer = process.ask(f"alternate {count} {pairs} {ON} {OFF}")
    if "seconds" not in answer:
        raise SystemExit(f"{process.name} failed while it was measured: {answer['error']}")
    on, off = answer["seconds"]
    return [checked / unchecked for checked, unchecked in zip(on, off, strict=True)]


def row_of(task: str, found: list[float]) -> Row:
    """The ratios of all processes as a row."""
    low, median, high = statistics.quantiles(found, n=4)
    return Row(task, "checks on / off", "x", median, low, high, len(found), target=TARGET)


def measure(task: Task, size: int, process: PeerProcess, *, check: bool) -> list[float]:
    """Make both variants ready and compare them."""
    for variant in (ON, OFF):
        answer = process.ask(f"{'check' if check else 'prepare'} {variant} {size} {task.name}")
        if "error" in answer:
            raise SystemExit(f"{variant}, {task.name} {size}: {answer['error']}")
    for variant in (ON, OFF) * 3:  # the third launch makes native code of those that follow
        process.ask(f"run {variant} 4")
    return ratios(process, process.ask(f"run {ON} 1")["seconds"])


def main() -> int:
    """Measure and print; 1 if checks cost more somewhere."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tasks", default="")
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    wanted = [task for task in TASKS if not asked.tasks or task.name in asked.tasks.split(",")]
    found: dict[str, list[float]] = {}
    for number in range(asked.processes):
        process = cpu_peer("stepwell", sys.executable, asked.threads)
        for task in wanted:
            for size in task.sizes:
                times = measure(task, size, process, check=number == 0)
                found.setdefault(f"{task.name} {size}", []).extend(times)
                median = statistics.median(times)
                print(f"process {number + 1}, {task.name} {size}: {median:.3f}", flush=True)
        process.end()
    rows = [row_of(task, times) for task, times in found.items()]
    for row in rows:
        print(row.line())
    return int(any(row.median > TARGET for row in rows))


if __name__ == "__main__":
    sys.exit(main())
