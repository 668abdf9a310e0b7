"""Where figures are kept: a JSON file of a day, with machine and versions; and a picture."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Protocol

from machine import machine, versions
from measure import Row

RESULTS = Path(__file__).parent / "results"


class _Figures(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


def record(
    name: str,
    rows: Sequence[_Figures],
    *,
    tools: dict[str, str] | None = None,
    **facts: object,
) -> Path:
    """Write `results/<name>-<date>.json`; rows of times are drawn beside it. The file is named.

    `tools` are versions of what else took part; `facts` are further fields.
    """
    now = datetime.datetime.now(datetime.UTC)
    content = {
        "date": now.isoformat(timespec="seconds"),
        **facts,
        "machine": machine(),
        "versions": {**versions(), **(tools or {})},
        "rows": [asdict(row) for row in rows],
    }
    path = RESULTS / f"{name}-{now:%Y-%m-%d}.json"
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}")
    return path


def picture_of(path: Path, rows: Sequence[Row]) -> None:
    """Draw rows beside the file that holds them, where matplotlib is installed."""
    try:
        from picture import draw
    except ImportError as error:
        print(f"no picture: {error.name} is not installed (pip install 'stepwell[bench]')")
        return
    draw(list(rows), path.with_suffix(".png"))
    print(f"wrote {path.with_suffix('.png')}")
