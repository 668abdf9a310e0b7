"""From a Python function to PTX for sm_90: stepwell beside Numba-CUDA and Triton; needs no GPU.

    python benchmarks/cuda_compile.py [--peers PYTHON] [--rounds N]

Warm processes, one for each contender, take turns in interleaved rounds; nothing comes from a
cache, and the first round, in which modules are still imported, does not count. `--peers` is the
Python whose environment has the others (without it, this one):

    python -m venv peers && peers/bin/pip install 'numba-cuda[cu13]' triton

A contender that is missing, or cannot compile without a device, is listed with the reason. Numba's
and stepwell's kernels say what a thread does, Triton's what a block does; stepwell's check their
indices. Numba has no matrix instructions, and so no `mma_matmul`. Writes
`benchmarks/results/cuda_compile-<date>.json` and a picture of the same name.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from measure import Row, rows_of
from peer_process import PeerProcess
from record import picture_of, record

HERE = Path(__file__).parent
CONTENDERS = ("stepwell", "numba", "triton")
# Milliseconds for stepwell.
TARGETS = {"saxpy": 40.0, "reduction": 80.0, "mma_matmul": 300.0}


class Contender(PeerProcess):
    """A process that compiles what it is told to."""

    def __init__(self, name: str, python: str):
        super().__init__(name, [python, HERE / "cuda_compile_peer.py", name])
        self.error = str(self.hello.get("error", ""))
        self.versions: dict[str, str] = self.hello.get("versions", {})
        self.kernels: list[str] = self.hello.get("kernels", [])
        self.correct = True
        self.times: dict[str, list[float]] = {kernel: [] for kernel in TARGETS}

    def compile(self, kernel: str) -> None:
        """Once; the seconds are added to `times`, what goes wrong becomes `error`."""
        answer = self.ask(kernel)
        if "error" in answer:
            self.error = f"{kernel}: {answer['error']}"
        else:
            self.times[kernel].append(answer["seconds"])
            self.correct &= answer["correct"]


def main() -> int:
    """Measure, write down; 1 if stepwell itself failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    everyone = [
        Contender(name, sys.executable if name == "stepwell" else asked.peers)
        for name in CONTENDERS
    ]
    for number in range(asked.rounds + 1):
        turn = number % len(everyone)
        for contender in everyone[turn:] + everyone[:turn]:
            for kernel in TARGETS:
                if not contender.error and kernel in contender.kernels:
                    contender.compile(kernel)
    absent = {one.name: one.error for one in everyone if one.error}
    present = [one for one in everyone if not one.error]
    rows = [row for kernel in TARGETS for row in rows_for(kernel, present)]
    for row in rows:
        print(row.line())
    for name, why in absent.items():
        print(f"{name:<53} absent: {why}")
    # What the contenders say of themselves wins over what is installed here.
    found = {key: text for one in present for key, text in one.versions.items()}
    picture_of(record("cuda_compile", rows, tools=found, absent=absent), rows)
    for contender in everyone:
        contender.end()
    return int("stepwell" in absent or not all(row.correct for row in rows))


def rows_for(kernel: str, present: list[Contender]) -> list[Row]:
    """The rounds after the first."""
    return rows_of(
        f"{kernel} to PTX",
        {one.name: one.times[kernel][1:] for one in present if kernel in one.kernels},
        unit="ms",
        scale=1e3,
        correct={one.name: one.correct for one in present},
        targets={"stepwell": TARGETS[kernel]},
    )


if __name__ == "__main__":
    sys.exit(main())
