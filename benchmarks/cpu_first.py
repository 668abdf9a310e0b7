"""How fast the CPU device is beside Numba and NumPy: throughput, launches, start-up; compiling.

    python benchmarks/cpu_first.py [--quick]

All contenders run in the same process (start-up: in fresh ones), in interleaved rounds, so that
what disturbs the machine disturbs all of them; medians and quartiles are reported, and every result
is checked. Writes `benchmarks/results/cpu_first-<processor>-<date>.json` and a picture of the same
name.
"""

from __future__ import annotations

import argparse
import sys

from cpu_compile import measure_compile
from launches import measure_launches
from machine import short_name
from measure import Row, Task
from record import picture_of, record
from start_up import measure_start_up
from throughput import measure_throughput


def main() -> int:
    """Measure everything, write it down; 1 if a result was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds: a try")
    quick = parser.parse_args().quick
    parts: list[Task] = [measure_throughput, measure_launches, measure_start_up]
    drawn: list[Row] = []
    rows: list[Row] = []
    for part in (*parts, measure_compile):
        made = part(quick)
        rows += made
        if part in parts:  # a panel has no room for all kernels
            drawn += made
        for row in made:
            print(row.line(), flush=True)
    if not quick:
        picture_of(record(f"cpu_first-{short_name()}", rows), drawn)
    return 0 if all(row.correct for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
