"""How fast the CPU device is beside Numba and NumPy: throughput, start-up, launch overhead.

    python benchmarks/cpu_first.py [--quick]

All contenders run in the same process (start-up: in fresh ones), in interleaved rounds, so that
what disturbs the machine disturbs all of them; medians and quartiles are reported, and every result
is checked. Writes `benchmarks/results/cpu_first-<date>.json` and a picture of the same name.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

from launches import measure_launches
from machine import machine, versions
from measure import Row, Task
from start_up import measure_start_up
from throughput import measure_throughput

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Measure everything, write it down; 1 if a result was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds: a try")
    quick = parser.parse_args().quick
    parts: list[Task] = [measure_throughput, measure_launches, measure_start_up]
    rows: list[Row] = []
    for part in parts:
        made = part(quick)
        rows += made
        for row in made:
            print(row.line(), flush=True)
    if not quick:
        write(rows)
    return 0 if all(row.correct for row in rows) else 1


def write(rows: list[Row]) -> None:
    """The JSON file and the picture."""
    now = datetime.datetime.now(datetime.UTC)
    name = f"cpu_first-{now:%Y-%m-%d}"
    RESULTS.mkdir(exist_ok=True)
    content: dict[str, Any] = {
        "date": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "rows": [row.to_json() for row in rows],
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}")
    try:
        from picture import draw
    except ImportError as error:
        print(f"no picture: {error.name} is not installed (pip install 'stepwell[bench]')")
        return
    draw(rows, RESULTS / f"{name}.png")
    print(f"wrote {RESULTS / f'{name}.png'}")


if __name__ == "__main__":
    sys.exit(main())
