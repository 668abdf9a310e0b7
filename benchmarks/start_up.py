"""Fresh processes: what it takes until the first kernel has run, with and without a cache."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from measure import Row, rows_of

HEAD = "import numpy as np\n"
ARRAYS = "x = np.ones(1000, np.float32); y = np.ones(1000, np.float32)\n"
CHECK = "assert (y == 3).all()\n"
STEPWELL = (
    HEAD
    + "import stepwell as sw\n"
    + "@sw.kernel\n"
    + "def saxpy(a, x, y):\n"
    + "    i = sw.global_id(0)\n"
    + "    if i < y.shape[0]:\n"
    + "        y[i] = a * x[i] + y[i]\n"
    + ARRAYS
    + "saxpy.over(x.size)(np.float32(2), x, y)\n"
    + CHECK
)
NUMBA = (
    HEAD
    + "import numba\n"
    + "@numba.njit(cache=True)\n"
    + "def saxpy(a, x, y):\n"
    + "    for i in range(y.shape[0]):\n"
    + "        y[i] = a * x[i] + y[i]\n"
    + ARRAYS
    + "saxpy(np.float32(2), x, y)\n"
    + CHECK
)
# The second kernel is another one in kind, so that nothing of the first helps but what is imported.
SECOND = (
    STEPWELL
    + "from time import perf_counter, process_time\n"
    + "@sw.kernel\n"
    + "def second(x, y):\n"
    + "    i, j = sw.global_id(0), sw.global_id(1)\n"
    + "    if i > 0 and j > 0:\n"
    + "        y[i, j] = x[i, j] - x[i - 1, j - 1]\n"
    + "x = np.ones((8, 8)); y = np.zeros((8, 8))\n"
    + "start = perf_counter(), process_time()\n"
    + "second.over(x.shape)(x, y)\n"
    + "print(perf_counter() - start[0], process_time() - start[1])\n"
)
PROGRAMS = {
    "python": "pass\n",
    "import numpy": HEAD,
    "import stepwell": "import stepwell\n",
    "stepwell, empty cache": STEPWELL,
    "stepwell, warm cache": STEPWELL,
    "numba, empty cache": NUMBA,
    "numba, warm cache": NUMBA,
}
TARGETS = {"stepwell, empty cache": 450.0, "stepwell, warm cache": 250.0}


class Folder:
    """A folder with the programs, each with its own cache."""

    def __init__(self, path: Path):
        self.path = path
        for name, text in {**PROGRAMS, "second": SECOND}.items():
            (path / file_name(name)).write_text(text, encoding="utf-8")

    def run(self, name: str, *, empty: bool = False) -> str:
        """Run one program to its end; what it prints."""
        cache = self.path / f"cache-{file_name(name)}"
        if empty:
            shutil.rmtree(cache, ignore_errors=True)
        environment = {
            **os.environ,
            "STEPWELL_CACHE_DIR": str(cache / "stepwell"),
            "NUMBA_CACHE_DIR": str(cache / "numba"),
        }
        # An installer leaves compiled modules beside the sources; so does the run before the first.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, str(self.path / file_name(name))]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"benchmark program {name!r} failed:\n{done.stderr}")
        return done.stdout


def file_name(name: str) -> str:
    """The file of a program."""
    return name.replace(",", "").replace(" ", "_") + ".py"


def measure_start_up(quick: bool) -> list[Row]:
    """Whole processes in milliseconds, and the second kernel of a process.

    The rows named "CPU" are what the processor worked for it, which other programs on the machine
    disturb less than the time that passes.
    """
    rounds = 1 if quick else 7
    with tempfile.TemporaryDirectory() as place:
        folder = Folder(Path(place))
        for name in PROGRAMS:
            folder.run(name)  # compiles .pyc files and fills the caches
        whole, worked = rounds_of_processes(folder, rounds)
        second = [folder.run("second", empty=True).split() for _ in range(rounds)]
    base = sorted(whole["import numpy"])[rounds // 2]
    own = [max(0.0, seconds - base) for seconds in whole["import stepwell"]]
    return [
        *rows_of("process", whole, unit="ms", scale=1e3, targets=TARGETS),
        *rows_of(
            "import stepwell over numpy",
            {"stepwell": own},
            unit="ms",
            scale=1e3,
            targets={"stepwell": 150},
        ),
        *rows_of(
            "second kernel, no cache",
            {"stepwell": [float(wall) for wall, _ in second]},
            unit="ms",
            scale=1e3,
            targets={"stepwell": 40},
        ),
        *rows_of("process, CPU", worked, unit="ms", scale=1e3),
        *rows_of(
            "second kernel, CPU",
            {"stepwell": [float(cpu) for _, cpu in second]},
            unit="ms",
            scale=1e3,
        ),
    ]


def rounds_of_processes(
    folder: Folder, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds of each program in each round: those that passed, those of the processor."""
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    worked: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name in PROGRAMS:
            before, start = cpu_of_children(), perf_counter()
            folder.run(name, empty="empty" in name)
            times[name].append(perf_counter() - start)
            worked[name].append(cpu_of_children() - before)
    return times, worked


def cpu_of_children() -> float:
    """Seconds that the processor worked for processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
